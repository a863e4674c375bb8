// SPDX-License-Identifier: Apache-2.0
//
// SpoofedPeers: an attacker on loopback. It sends datagrams from unused addresses and ports
// (127.64.0.0/10), and sees and counts the server's answers to them. For each answer the kernel
// reports "port unreachable" to the server, as with real forged sources. Needs CAP_NET_RAW.
#pragma once

#include "core/Result.h"
#include "core/SocketAddress.h"

#include <QByteArray>
#include <QByteArrayView>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace dtlsd::test {

class SpoofedPeers
{
public:
    struct Tally
    {
        std::int64_t datagrams = 0;
        std::int64_t bytes = 0; ///< of payload
    };

    /// An attacker of @p server, an IPv4 address. The error says what was not permitted.
    static Result<std::unique_ptr<SpoofedPeers>> against(const SocketAddress &server);
    ~SpoofedPeers();
    SpoofedPeers(const SpoofedPeers &) = delete;
    SpoofedPeers &operator=(const SpoofedPeers &) = delete;

    /// The address of that number, below 4,194,304, with @p port.
    static SocketAddress at(std::uint32_t number, std::uint16_t port);

    /// Queues a datagram from @p source. If the address is in use, answers to it are not seen.
    void send(const SocketAddress &source, QByteArrayView datagram);
    /// Sends the whole queue: loopback takes everything at once.
    void flush();

    using Look = std::function<void(const SocketAddress &source, QByteArrayView answer)>;
    /// Counts the answers that have come, and shows each to @p look.
    void receive(const Look &look = {});

    [[nodiscard]] const Tally &sent() const { return m_sent; }
    [[nodiscard]] const Tally &answered() const { return m_answered; }
    /// Answers to one source of 127.64.0.0/10.
    [[nodiscard]] Tally answersTo(const SocketAddress &source) const;
    /// Bytes answered per byte sent, for the source with the largest ratio.
    [[nodiscard]] double largestRatio() const;
    /// Answers that came too fast to be seen; the counts hold only while it is 0.
    [[nodiscard]] std::uint32_t missed() const;

private:
    struct Exchange
    {
        Tally sent;
        Tally answered;
    };

    SpoofedPeers(const SocketAddress &server, int sender, int receiver);
    void take(QByteArrayView packet, const Look &look);

    const SocketAddress m_server;
    const int m_sender;
    const int m_receiver;
    std::vector<QByteArray> m_queue; // IP packets
    std::unordered_map<SocketAddress, Exchange> m_exchanges;
    Tally m_sent;
    Tally m_answered;
};

} // namespace dtlsd::test
