// SPDX-License-Identifier: Apache-2.0
//
// newIdentity(): what dtlsctl key new prints.
#pragma once

#include "core/Result.h"
#include "dtls/Psk.h"

#include <QByteArray>

namespace dtlsd {

/// A section `[identity NAME]` of dtlsd.ini with @p key or, for a name that no section can have, a
/// line of the key file and a comment that says why.
Result<QByteArray> newIdentity(const QByteArray &name, const PskKey &key);

} // namespace dtlsd
