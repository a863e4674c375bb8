// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dtls/CipherPolicy.h"
#include "dtls/ServerOptions.h"

#include <QSslConfiguration>

namespace dtlsd {

struct HelloOffer;

/// Whether Qt's TLS backend can speak DTLS with pre-shared keys at all.
bool isDtlsSupported();

/// The configuration common to both sides of a PSK session: DTLS 1.2, the suites of @p ciphers, no
/// certificates.
QSslConfiguration pskConfiguration(const CipherPolicy &ciphers);

/// The server's configuration: also requires cookies, allows the groups X25519 and P-256 only, and
/// disables session resumption.
QSslConfiguration serverConfiguration(const ServerSettings &settings);

/// Whether a client offers suites that need a group, but none of the server's groups.
bool lacksAGroup(const HelloOffer &offer);
/// For such a client: @p configuration without the ECDHE-PSK suites, if others are left. OpenSSL
/// looks for a shared group before it chooses an ECDHE suite, but not before an ECDHE-PSK suite,
/// and then fails at the key exchange.
QSslConfiguration withoutGroups(QSslConfiguration configuration);

} // namespace dtlsd
