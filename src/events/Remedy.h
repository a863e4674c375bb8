// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/CipherSuite.h"

#include <QString>

#include <vector>

namespace dtlsd {

/// What a device offered that shares no cipher suite with us, and what to do about it:
/// `: A, B and 2 more; set ciphers = iot, which has B`. Empty if it is not known what it
/// @p offered. @p ciphers is `[tls] ciphers`, which has none of them.
QString remedyFor(const std::vector<CipherSuite> &offered, const QString &ciphers);

} // namespace dtlsd
