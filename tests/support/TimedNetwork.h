// SPDX-License-Identifier: Apache-2.0
//
// TimedNetwork: one DtlsServer, many distant devices and strangers, without a network and in
// simulated time: a scene of ten seconds takes only the time of its handshakes. Devices retransmit
// an unanswered flight after 1, 2, 4 and 8 seconds (RFC 6347 §4.2.4.1), and then give up.
#pragma once

#include "dtls/DtlsClient.h"
#include "dtls/DtlsServer.h"
#include "support/MemorySocket.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace dtlsd::test {

class TimedNetwork
{
public:
    using Clock = TimeSource::Clock;
    using Duration = std::chrono::milliseconds;

    explicit TimedNetwork(ServerSettings settings);
    ~TimedNetwork();

    /// Runs @p action @p after the beginning.
    void at(Duration after, std::function<void()> action);
    /// Runs the scene until @p end after the beginning.
    void runUntil(Duration end);
    [[nodiscard]] Duration now() const { return m_now; }

    /// A device begins a handshake now; a datagram takes half of @p roundTrip to it or back.
    void begin(const SocketAddress &address, const DtlsClient::Options &options,
               Duration roundTrip);
    /// Devices that have begun, and devices that have a session.
    [[nodiscard]] int begun() const { return m_begun; }
    [[nodiscard]] int connected() const { return m_connected; }

    /// The cookie that the server has for @p address; nothing takes any time.
    [[nodiscard]] QByteArray cookieFor(const SocketAddress &address);
    /// A datagram arrives now from a stranger that ignores the answer.
    void arrive(const SocketAddress &from, const QByteArray &datagram)
    {
        m_serverSocket->hold(from, datagram);
    }

    std::unique_ptr<DtlsServer> server;

private:
    struct Device;

    void tick();
    void deliver(const SocketAddress &to, const QByteArray &datagram);
    void carry(Device &device, bool isRepetition);
    void repeat(const SocketAddress &address, int number, int flight);

    Duration m_now{0};
    Clock::time_point m_worked; // advances with each look at it
    std::multimap<Duration, std::function<void()>> m_actions;
    MemorySocket *m_serverSocket = nullptr;
    std::unordered_map<SocketAddress, std::unique_ptr<Device>> m_devices; // not connected yet
    int m_begun = 0;
    int m_connected = 0;
};

} // namespace dtlsd::test
