// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dtls/CipherPolicy.h"
#include "dtls/ServerOptions.h"

#include <QSslConfiguration>

namespace dtlsd {

struct HelloOffer;

/// Whether Qt's TLS backend can speak DTLS with pre-shared keys at all.
bool isDtlsSupported();

/// What both sides of a PSK session have in common: DTLS 1.2, the suites of @p ciphers, and
/// nothing that has to do with certificates.
QSslConfiguration pskConfiguration(const CipherPolicy &ciphers);

/// The server's side of it: cookies required, groups X25519 and P-256, nothing that could resume a
/// session.
QSslConfiguration serverConfiguration(const ServerSettings &settings);

/// Whether a client offers suites that need a group, and none of the server's groups.
bool lacksAGroup(const HelloOffer &offer);
/// For such a client: @p configuration without those suites, if others are left. OpenSSL looks at
/// the groups before it chooses a suite with ECDHE, but not one with ECDHE-PSK, and ends the
/// handshake when it comes to the key exchange.
QSslConfiguration withoutGroups(QSslConfiguration configuration);

} // namespace dtlsd
