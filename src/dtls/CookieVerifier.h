// SPDX-License-Identifier: Apache-2.0
//
// CookieVerifier: the proof that a source address is real, before anything is spent on it
// (RFC 6347 §4.2.1). CookieSecrets: what cookies are made with, the same for every worker, and for
// every machine that has the same master.
#pragma once

#include "net/DatagramSocket.h"

#include <QByteArray>
#include <QDtls>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace dtlsd {

/// A secret for each period of time, all derived from one that never changes. Immutable.
class CookieSecrets
{
public:
    static constexpr std::chrono::minutes period{10};

    /// @p master of at least 32 bytes from a cryptographic generator.
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

    /// Whether @p datagram is a ClientHello with a cookie that was made for its source. If so, what
    /// that cookie was made with: the QDtls that takes the hello must have the same. If not, and it
    /// is a ClientHello, a HelloVerifyRequest is queued on @p socket.
    std::optional<QDtls::GeneratorParameters>
    verify(DatagramSocket &socket, const ReceivedDatagram &datagram, Clock::time_point now);

private:
    /// How long after a change the previous secret's cookies are accepted. A client whose cookie
    /// stops being valid halfway fails: it does not take a second HelloVerifyRequest.
    static constexpr std::chrono::minutes grace{2};
    /// How long before a change the next secret's are: another machine's clock may be ahead.
    static constexpr std::chrono::minutes clockSkew{1};

    class NoOutput;
    struct Verifier
    {
        std::int64_t period = -1;
        QDtls::GeneratorParameters parameters;
        QDtlsClientVerifier verifier;
    };

    /// The other period whose cookies are accepted at @p now.
    static std::optional<std::int64_t> neighbour(Clock::time_point now);
    bool verifyWith(Verifier &verifier, std::int64_t period, QUdpSocket *output,
                    const ReceivedDatagram &datagram);

    CookieSecrets m_secrets;
    std::unique_ptr<NoOutput> m_noOutput;
    Verifier m_current;
    Verifier m_neighbour;
};

} // namespace dtlsd
