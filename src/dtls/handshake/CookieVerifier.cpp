// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/CookieVerifier.h"

#include "core/ErrorQueue.h"
#include "core/HmacSha256.h"

#include <QCryptographicHash>

namespace dtlsd {

/// Discards the HelloVerifyRequest of a neighbouring period: only the current one's is sent.
class CookieVerifier::NoOutput : public QUdpSocket
{
public:
    NoOutput()
    {
        setSocketState(ConnectedState);
        setOpenMode(ReadWrite | Unbuffered);
    }
    QVariant socketOption(SocketOption) override { return {}; }

protected:
    qint64 writeData(const char *, qint64 size) override { return size; }
};

CookieVerifier::CookieVerifier(CookieSecrets secrets)
    : m_secrets(std::move(secrets))
    , m_noOutput(std::make_unique<NoOutput>())
{
}

CookieVerifier::~CookieVerifier() = default;

QDtls::GeneratorParameters CookieSecrets::at(std::int64_t periodNumber) const
{
    return {QCryptographicHash::Sha256,
            HmacSha256(m_master).of(QByteArray::number(qint64{periodNumber}))};
}

std::optional<QDtls::GeneratorParameters> CookieVerifier::verify(DatagramSocket &socket,
                                                                 const ReceivedDatagram &datagram,
                                                                 Clock::time_point now)
{
    emptyErrorQueue();
    const std::int64_t current = now.time_since_epoch() / CookieSecrets::period;
    const auto other = neighbour(now);
    if (other && verifyWith(m_neighbour, *other, m_noOutput.get(), datagram))
        return m_neighbour.parameters;
    if (verifyWith(m_current, current, socket.output(datagram.path), datagram))
        return m_current.parameters;
    return std::nullopt;
}

std::optional<std::int64_t> CookieVerifier::neighbour(Clock::time_point now)
{
    const std::int64_t current = now.time_since_epoch() / CookieSecrets::period;
    const auto sinceChange = now.time_since_epoch() % CookieSecrets::period;
    if (sinceChange < grace)
        return current - 1;
    if (sinceChange >= CookieSecrets::period - clockSkew)
        return current + 1;
    return std::nullopt;
}

bool CookieVerifier::verifyWith(Verifier &verifier, std::int64_t period, QUdpSocket *output,
                                const ReceivedDatagram &datagram)
{
    if (verifier.period != period) {
        verifier.period = period;
        verifier.parameters = m_secrets.at(period);
        verifier.verifier.setCookieGeneratorParameters(verifier.parameters);
    }
    const SocketAddress &peer = datagram.path.peer;
    return verifier.verifier.verifyClient(output, datagram.bytes.toByteArray(), peer.address(),
                                          peer.port());
}

} // namespace dtlsd
