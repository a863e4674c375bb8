// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsConfiguration.h"

#include "core/ErrorQueue.h"
#include "wire/ClientHello.h"

#include <QSslCipher>
#include <QSslDiffieHellmanParameters>
#include <QSslSocket>

#include <algorithm>
#include <cstdint>
#include <memory>

#include <openssl/ssl.h>

namespace dtlsd {

namespace {

// X25519 first: it is the cheapest. A P-384 key exchange would cost nine times as much, so a client
// could make the server work for nothing.
constexpr char serverGroups[] = "X25519:P-256";

bool isServerGroup(std::uint16_t number)
{
    constexpr std::uint16_t x25519 = 29;
    constexpr std::uint16_t p256 = 23;
    return number == x25519 || number == p256;
}

} // namespace

bool isDtlsSupported()
{
    const auto classes = QSslSocket::implementedClasses();
    return classes.contains(QSsl::ImplementedClass::Dtls) &&
           classes.contains(QSsl::ImplementedClass::DtlsCookie) &&
           QSslSocket::supportedFeatures().contains(QSsl::SupportedFeature::Psk);
}

QSslConfiguration pskConfiguration(const CipherPolicy &ciphers)
{
    QSslConfiguration configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setProtocol(QSsl::DtlsV1_2);
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    configuration.setCaCertificates({});
    // Qt knows no CCM suites, so OpenSSL gets the list directly. Qt still parses its own list at
    // every handshake, so that one is short.
    configuration.setCiphers({QSslCipher(QStringLiteral("PSK-AES128-GCM-SHA256"))});
    configuration.setBackendConfigurationOption("CipherString", ciphers.cipherString());
    return configuration;
}

bool lacksAGroup(const HelloOffer &offer)
{
    const bool hasGroup = offer.groups && std::ranges::any_of(*offer.groups, &isServerGroup);
    return !hasGroup && std::ranges::find(offer.suites, ecdhePskChaCha20) != offer.suites.end();
}

QSslConfiguration withoutGroups(QSslConfiguration configuration)
{
    const QByteArray all = configuration.backendConfiguration().value("CipherString").toByteArray();
    const QByteArray others = all + ":!kECDHEPSK";
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(DTLS_method()),
                                                                    &SSL_CTX_free);
    if (context && SSL_CTX_set_cipher_list(context.get(), others.constData()) == 1)
        configuration.setBackendConfigurationOption("CipherString", others);
    emptyErrorQueue();
    return configuration;
}

QSslConfiguration serverConfiguration(const ServerSettings &settings)
{
    QSslConfiguration configuration = pskConfiguration(settings.tls.ciphers);
    configuration.setDtlsCookieVerificationEnabled(true);
    configuration.setDiffieHellmanParameters({});
    configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, true);
    configuration.setPreSharedKeyIdentityHint(settings.reply.identityHint);
    configuration.setBackendConfigurationOption("Groups", QByteArray(serverGroups));
    return configuration;
}

} // namespace dtlsd
