// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dtls/CipherPolicy.h"

#include <QSslConfiguration>

namespace dtlsd {

/// RFC 5246 §6.2.1; a DTLS record holds one message.
inline constexpr qsizetype maximumPlaintext = 16'384;

/// What both sides of a PSK session have in common: DTLS 1.2, the suites of @p ciphers, and
/// nothing that has to do with certificates.
QSslConfiguration pskConfiguration(const CipherPolicy &ciphers);

} // namespace dtlsd
