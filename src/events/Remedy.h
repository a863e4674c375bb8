// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/CipherSuite.h"

#include <QString>

#include <vector>

namespace dtlsd {

/// The suites @p offered by a device that shares none with us, and the remedy, as the end of a
/// message: `: A, B and 2 more; set ciphers = iot, which has B`. Empty if @p offered is empty.
/// @p ciphers is `[tls] ciphers`, which has none of these suites.
QString remedyFor(const std::vector<CipherSuite> &offered, const QString &ciphers);

} // namespace dtlsd
