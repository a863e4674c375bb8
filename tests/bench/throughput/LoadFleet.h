// SPDX-License-Identifier: Apache-2.0
//
// LoadFleet: sessions that send as many messages as are wanted, each session no more at a time
// than its window holds. A receipt says nothing of the message it is for, but receipts come in
// the order of the messages. A message without one is not sent again: on loopback, with room for
// all windows in the receive buffers, its loss would be a fault of the daemon.
#pragma once

#include "bench/throughput/DatagramBatch.h"
#include "bench/throughput/LoadSession.h"

#include <chrono>
#include <deque>
#include <memory>
#include <vector>

namespace dtlsd::bench {

class LoadFleet
{
public:
    using Clock = std::chrono::steady_clock;

    struct Options
    {
        SocketAddress server;
        int sessions = 1;
        std::size_t window = 1;
        std::size_t messageSize = 64;
    };

    explicit LoadFleet(const Options &options);
    LoadFleet(const LoadFleet &) = delete;
    LoadFleet &operator=(const LoadFleet &) = delete;
    ~LoadFleet();

    /// false: a session did not open.
    [[nodiscard]] bool open();

    /// Sends @p messages. false: a receipt was not there in time.
    [[nodiscard]] bool run(std::size_t messages);

    /// Between each message of run() and its receipt, shortest first.
    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &latencies() const
    {
        return m_latencies;
    }

private:
    struct Device
    {
        std::unique_ptr<LoadSession> session;
        std::deque<Clock::time_point> unanswered;
    };

    void receive(Device &device);
    void fill(Device &device, std::size_t messages);

    const Options m_options;
    const std::shared_ptr<SSL_CTX> m_context;
    const int m_epoll;
    DatagramBatch m_batch;
    std::vector<Device> m_devices;
    std::string m_message;
    std::size_t m_sent = 0;
    std::vector<std::chrono::nanoseconds> m_latencies;
};

} // namespace dtlsd::bench
