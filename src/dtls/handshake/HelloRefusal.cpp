// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/HelloRefusal.h"

#include "dtls/DtlsConfiguration.h"
#include "wire/Record.h"

namespace dtlsd {

void HelloRefusal::noteEnd(QByteArrayView output)
{
    if (const auto record = RecordReader(output).next())
        m_alert = record->clearAlert();
}

void HelloRefusal::noteHello(QByteArrayView body)
{
    if (!m_alert || m_offer)
        return;
    if (auto offer = HelloOffer::in(body))
        m_offer = std::make_unique<const HelloOffer>(std::move(*offer));
}

std::vector<CipherSuite> HelloRefusal::offered() const
{
    return m_offer ? m_offer->suites : std::vector<CipherSuite>();
}

std::optional<HandshakeFailure> HelloRefusal::reason(const CipherPolicy &ciphers) const
{
    // The group is checked first: OpenSSL may report a missing group like a missing suite.
    if (m_offer && lacksAGroup(*m_offer) && ciphers.contains(ecdhePskChaCha20))
        return HandshakeFailure::NoSharedGroup;
    if (isOfSuites())
        return HandshakeFailure::NoSharedCipher;
    if (m_alert && m_alert->description == AlertDescription::ProtocolVersion)
        return HandshakeFailure::ProtocolVersion;
    return std::nullopt;
}

} // namespace dtlsd
