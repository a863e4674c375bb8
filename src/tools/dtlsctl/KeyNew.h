// SPDX-License-Identifier: Apache-2.0
//
// newIdentity(): the output of dtlsctl key new.
#pragma once

#include "core/Result.h"
#include "dtls/Psk.h"

#include <QByteArray>

namespace dtlsd {

/// A section `[identity NAME]` of dtlsd.ini with @p key or, if a section cannot have that @p name,
/// a line of the key file and a comment that says why.
Result<QByteArray> newIdentity(const QByteArray &name, const PskKey &key);

} // namespace dtlsd
