// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsConfiguration.h"

#include <QSslCipher>
#include <QSslDiffieHellmanParameters>
#include <QSslSocket>

namespace dtlsd {

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
    configuration.setProtocol(QSsl::DtlsV1_2OrLater);
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    configuration.setCaCertificates({});
    // Qt knows no CCM suites, so the list goes to OpenSSL directly; Qt parses its own list first,
    // at every handshake, so that one is kept short.
    configuration.setCiphers({QSslCipher(QStringLiteral("PSK-AES128-GCM-SHA256"))});
    configuration.setBackendConfigurationOption("CipherString", ciphers.cipherString());
    return configuration;
}

QSslConfiguration serverConfiguration(const ServerSettings &settings)
{
    QSslConfiguration configuration = pskConfiguration(settings.tls.ciphers);
    configuration.setDtlsCookieVerificationEnabled(true);
    configuration.setDiffieHellmanParameters({});
    configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, true);
    configuration.setPreSharedKeyIdentityHint(settings.reply.identityHint);
    return configuration;
}

} // namespace dtlsd
