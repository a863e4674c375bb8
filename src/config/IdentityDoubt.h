// SPDX-License-Identifier: Apache-2.0
//
// IdentityDoubt: identities that are accepted as they are written, and are probably not meant so.
#pragma once

#include <QByteArrayView>
#include <QString>

namespace dtlsd {

/// What is odd about @p identity, as the text of a warning without any part of it; empty = nothing.
QString identityDoubt(QByteArrayView identity);

} // namespace dtlsd
