// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/LoadSockets.h"
#include "bench/load/MessageBook.h"

#include <algorithm>
#include <cstring>

namespace dtlsd::bench {

using Clock = MessageBook::Clock;

namespace {

constexpr std::size_t usualDatagrams = 256;

/// The load of EchoLoad, without DTLS.
class PlainLoad
{
public:
    explicit PlainLoad(const Plan &plan)
        : m_plan(plan)
        , m_sockets(plan.port, plan.clients, true)
        , m_book(plan.clients, Plan::payload)
    {
    }

    [[nodiscard]] Result<> open() { return m_sockets.open(); }

    /// Whether the server answers before @p deadline.
    [[nodiscard]] bool reach(Clock::time_point deadline)
    {
        while (m_latencies.empty() && Clock::now() < deadline) {
            send(0);
            receive(attempt, attempt);
        }
        return !m_latencies.empty();
    }

    void runFor(std::chrono::nanoseconds duration)
    {
        for (const auto end = Clock::now() + duration; Clock::now() < end;) {
            fill();
            receive(longestWait);
        }
    }

    /// Waits for messages under way, but sends no more.
    void finish()
    {
        while (m_book.underWay() > 0)
            receive(longestWait);
    }

    /// Resets the counts; messages under way remain under way.
    void forget()
    {
        m_latencies.clear();
        m_sent = 0;
        m_lost = 0;
    }

    [[nodiscard]] const std::vector<std::chrono::nanoseconds> &latencies() const
    {
        return m_latencies;
    }
    [[nodiscard]] std::size_t sent() const { return m_sent; }
    [[nodiscard]] std::size_t lost() const { return m_lost; }

private:
    void send(std::size_t client)
    {
        const Route route = m_sockets.route(client);
        const std::string_view message = m_book.issue(client, Clock::now());
        std::memcpy(m_outbox.room(route).data(), message.data(), message.size());
        m_outbox.add(route, message.size());
        ++m_sent;
    }

    void fill()
    {
        for (std::size_t looked = 0; looked < m_plan.clients; ++looked) {
            const std::size_t client = m_turn;
            m_turn = (m_turn + 1) % m_plan.clients;
            while (m_book.underWay(client) < m_plan.window && m_book.underWay() < Plan::underWay)
                send(client);
            if (m_book.underWay() >= Plan::underWay)
                return;
        }
    }

    void receive(std::chrono::nanoseconds timeout, std::chrono::nanoseconds patience = lostAfter)
    {
        m_outbox.flush();
        m_sockets.receive(timeout, usualDatagrams,
                          [this](std::size_t client, std::span<const char> datagram) {
                              const std::string_view reply(datagram.data(), datagram.size());
                              if (const auto took = m_book.answer(client, reply, Clock::now()))
                                  m_latencies.push_back(*took);
                          });
        const auto now = Clock::now();
        m_lost += m_book.giveUp(now - patience, now).size();
    }

    const Plan &m_plan;
    LoadSockets m_sockets;
    Outbox m_outbox;
    MessageBook m_book;
    std::size_t m_turn = 0; // the client whose turn it is
    std::vector<std::chrono::nanoseconds> m_latencies;
    std::size_t m_sent = 0;
    std::size_t m_lost = 0;
};

} // namespace

Result<QJsonObject> measurePlain(const Plan &plan)
{
    PlainLoad load(plan);
    if (auto opened = load.open(); !opened)
        return opened.error();
    if (!load.reach(Clock::now() + plan.timeout))
        return Error{QStringLiteral("nobody answers at port %1").arg(plan.port)};
    load.runFor(plan.warmUp);
    load.forget();

    const Clocks clocks(plan);
    load.runFor(plan.duration);
    QJsonObject figures;
    const std::size_t answered = load.latencies().size();
    figures[QLatin1StringView("datagrams_per_second")] =
        static_cast<double>(answered) / seconds(plan.duration);
    addCpu(figures, clocks, answered);
    load.finish();
    addLoss(figures, load.lost(), load.sent());
    addPercentiles(figures, Latencies(load.latencies()));
    addMemory(figures, plan);
    return figures;
}

} // namespace dtlsd::bench
