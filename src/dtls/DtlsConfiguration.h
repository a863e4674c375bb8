// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dtls/CipherPolicy.h"
#include "dtls/ServerOptions.h"

#include <QSslConfiguration>

namespace dtlsd {

/// Whether Qt's TLS backend can speak DTLS with pre-shared keys at all.
bool isDtlsSupported();

/// What both sides of a PSK session have in common: DTLS 1.2, the suites of @p ciphers, and
/// nothing that has to do with certificates.
QSslConfiguration pskConfiguration(const CipherPolicy &ciphers);

/// The server's side of it: cookies required, nothing that could resume a session.
QSslConfiguration serverConfiguration(const ServerSettings &settings);

} // namespace dtlsd
