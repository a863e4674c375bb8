// SPDX-License-Identifier: Apache-2.0
//
// ForwardingBackend: a QTlsBackend that forwards every call to another one: Qt also asks the active
// backend for keys, certificates and curves.
#pragma once

#include <private/qtlsbackend_p.h>

namespace dtlsd {

class ForwardingBackend : public QTlsBackend
{
    Q_OBJECT

public:
    /// @p other must outlive it.
    explicit ForwardingBackend(QTlsBackend &other)
        : m_other(other)
    {
    }

    [[nodiscard]] bool isValid() const override { return m_other.isValid(); }
    [[nodiscard]] long tlsLibraryVersionNumber() const override
    {
        return m_other.tlsLibraryVersionNumber();
    }
    [[nodiscard]] QString tlsLibraryVersionString() const override
    {
        return m_other.tlsLibraryVersionString();
    }
    [[nodiscard]] long tlsLibraryBuildVersionNumber() const override
    {
        return m_other.tlsLibraryBuildVersionNumber();
    }
    [[nodiscard]] QString tlsLibraryBuildVersionString() const override
    {
        return m_other.tlsLibraryBuildVersionString();
    }
    void ensureInitialized() const override { m_other.ensureInitialized(); }

    [[nodiscard]] QList<QSsl::SslProtocol> supportedProtocols() const override
    {
        return m_other.supportedProtocols();
    }
    [[nodiscard]] QList<QSsl::SupportedFeature> supportedFeatures() const override
    {
        return m_other.supportedFeatures();
    }
    [[nodiscard]] QList<QSsl::ImplementedClass> implementedClasses() const override
    {
        return m_other.implementedClasses();
    }

    [[nodiscard]] QTlsPrivate::TlsKey *createKey() const override { return m_other.createKey(); }
    [[nodiscard]] QTlsPrivate::X509Certificate *createCertificate() const override
    {
        return m_other.createCertificate();
    }
    [[nodiscard]] QList<QSslCertificate> systemCaCertificates() const override
    {
        return m_other.systemCaCertificates();
    }
    [[nodiscard]] QTlsPrivate::TlsCryptograph *createTlsCryptograph() const override
    {
        return m_other.createTlsCryptograph();
    }
    [[nodiscard]] QTlsPrivate::DtlsCryptograph *createDtlsCryptograph(QDtls *dtls,
                                                                      int mode) const override
    {
        return m_other.createDtlsCryptograph(dtls, mode);
    }
    [[nodiscard]] QTlsPrivate::DtlsCookieVerifier *createDtlsCookieVerifier() const override
    {
        return m_other.createDtlsCookieVerifier();
    }

    [[nodiscard]] QTlsPrivate::X509ChainVerifyPtr X509Verifier() const override
    {
        return m_other.X509Verifier();
    }
    [[nodiscard]] QTlsPrivate::X509PemReaderPtr X509PemReader() const override
    {
        return m_other.X509PemReader();
    }
    [[nodiscard]] QTlsPrivate::X509DerReaderPtr X509DerReader() const override
    {
        return m_other.X509DerReader();
    }
    [[nodiscard]] QTlsPrivate::X509Pkcs12ReaderPtr X509Pkcs12Reader() const override
    {
        return m_other.X509Pkcs12Reader();
    }

    [[nodiscard]] QList<int> ellipticCurvesIds() const override
    {
        return m_other.ellipticCurvesIds();
    }
    [[nodiscard]] int curveIdFromShortName(const QString &name) const override
    {
        return m_other.curveIdFromShortName(name);
    }
    [[nodiscard]] int curveIdFromLongName(const QString &name) const override
    {
        return m_other.curveIdFromLongName(name);
    }
    [[nodiscard]] QString shortNameForId(int id) const override
    {
        return m_other.shortNameForId(id);
    }
    [[nodiscard]] QString longNameForId(int id) const override { return m_other.longNameForId(id); }
    [[nodiscard]] bool isTlsNamedCurve(int id) const override
    {
        return m_other.isTlsNamedCurve(id);
    }
    [[nodiscard]] int dhParametersFromDer(const QByteArray &der, QByteArray *data) const override
    {
        return m_other.dhParametersFromDer(der, data);
    }
    [[nodiscard]] int dhParametersFromPem(const QByteArray &pem, QByteArray *data) const override
    {
        return m_other.dhParametersFromPem(pem, data);
    }
    void forceAutotestSecurityLevel() override { m_other.forceAutotestSecurityLevel(); }

private:
    QTlsBackend &m_other;
};

} // namespace dtlsd
