// SPDX-License-Identifier: Apache-2.0
//
// DtlsState: the state that QDtls and QDtlsClientVerifier expect of their backend: the last error,
// the configuration and the cookie parameters.
#pragma once

#include <QByteArray>
#include <QSslConfiguration>
#include <private/qtlsbackend_p.h>

#include <optional>

namespace dtlsd {

class DtlsState : virtual public QTlsPrivate::DtlsBase
{
public:
    /// @p cookieSecret makes the cookies until another secret is set.
    explicit DtlsState(const QByteArray &cookieSecret)
        : m_cookieSecret(cookieSecret)
    {
    }

    void setDtlsError(QDtlsError code, const QString &description) override
    {
        m_error = code;
        m_errorString = description;
    }
    [[nodiscard]] QDtlsError error() const override { return m_error; }
    [[nodiscard]] QString errorString() const override { return m_errorString; }
    void clearDtlsError() override
    {
        if (m_error != QDtlsError::NoError)
            setDtlsError(QDtlsError::NoError, {});
    }

    void setConfiguration(const QSslConfiguration &configuration) override
    {
        m_configuration = configuration;
    }
    [[nodiscard]] QSslConfiguration configuration() const override
    {
        return m_configuration ? *m_configuration : QSslConfiguration();
    }

    /// Accepts only a secret for SHA-256.
    bool setCookieGeneratorParameters(const GenParams &parameters) override
    {
        const bool isRight =
            parameters.hash == QCryptographicHash::Sha256 && !parameters.secret.isEmpty();
        if (isRight) {
            clearDtlsError();
            m_cookieSecret = parameters.secret;
        } else {
            setDtlsError(QDtlsError::InvalidInputParameters,
                         QStringLiteral("cookies are made with a secret and SHA-256"));
        }
        return isRight;
    }
    [[nodiscard]] GenParams cookieGeneratorParameters() const override
    {
        return {QCryptographicHash::Sha256, m_cookieSecret};
    }

protected:
    [[nodiscard]] const QByteArray &cookieSecret() const { return m_cookieSecret; }
    /// A handshake is complete, and nothing asks for it any more.
    void forgetConfiguration() { m_configuration.reset(); }

private:
    QDtlsError m_error = QDtlsError::NoError;
    QString m_errorString;
    std::optional<QSslConfiguration> m_configuration; // a default one would create a key
    QByteArray m_cookieSecret;
};

} // namespace dtlsd
