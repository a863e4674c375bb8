// SPDX-License-Identifier: Apache-2.0
//
// CookieVerifier: proves that a source address is real before the server spends anything on it
// (RFC 6347 §4.2.1). CookieSecrets: the secrets behind the cookies, common to all workers and to
// all machines that share the master secret.
#pragma once

#include "net/DatagramSocket.h"

#include <QByteArray>
#include <QDtls>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace dtlsd {

/// One secret per period, derived from a master secret that never changes. Immutable.
class CookieSecrets
{
public:
    static constexpr std::chrono::minutes period{10};

    /// @p master: at least 32 bytes from a cryptographic generator.
    explicit CookieSecrets(QByteArray master)
        : m_master(std::move(master))
    {
    }

    [[nodiscard]] QDtls::GeneratorParameters at(std::int64_t periodNumber) const;

private:
    QByteArray m_master;
};

class CookieVerifier
{
public:
    using Clock = std::chrono::system_clock;

    explicit CookieVerifier(CookieSecrets secrets);
    ~CookieVerifier();

    /// Whether @p datagram is a ClientHello with a valid cookie for its source: if so, the
    /// parameters of the cookie, which the QDtls that takes the hello needs too. Queues a
    /// HelloVerifyRequest on @p socket if it is a ClientHello without one.
    std::optional<QDtls::GeneratorParameters>
    verify(DatagramSocket &socket, const ReceivedDatagram &datagram, Clock::time_point now);

private:
    /// How long after a change the previous secret's cookies are accepted. A client whose cookie
    /// expires in mid-handshake fails: it does not accept a second HelloVerifyRequest.
    static constexpr std::chrono::minutes grace{2};
    /// How long before a change the next secret's cookies are accepted: clocks differ.
    static constexpr std::chrono::minutes clockSkew{1};

    class NoOutput;
    struct Verifier
    {
        std::int64_t period = -1;
        QDtls::GeneratorParameters parameters;
        QDtlsClientVerifier verifier;
    };

    /// The neighbouring period whose cookies are accepted at @p now as well.
    static std::optional<std::int64_t> neighbour(Clock::time_point now);
    bool verifyWith(Verifier &verifier, std::int64_t period, QUdpSocket *output,
                    const ReceivedDatagram &datagram);

    CookieSecrets m_secrets;
    std::unique_ptr<NoOutput> m_noOutput;
    Verifier m_current;
    Verifier m_neighbour;
};

} // namespace dtlsd
