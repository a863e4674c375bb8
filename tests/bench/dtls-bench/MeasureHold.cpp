// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/MessageBook.h"
#include "bench/load/Opening.h"

#include <algorithm>

namespace dtlsd::bench {

using Clock = LoadFleet::Clock;
using View = QLatin1StringView;

namespace {

constexpr std::size_t largestPart = 10'000; // of the sessions, the first and the last
constexpr std::size_t tooManyFailures = Plan::atATime;
constexpr std::chrono::seconds unansweredAfter{10}; // by a server that is busy with handshakes

/// Opens sessions and frees the client's end of each at once, or once its message is answered: the
/// server holds them all, this process has only those under way.
class Holding
{
public:
    Holding(LoadFleet &fleet, const Plan &plan)
        : m_fleet(fleet)
        , m_plan(plan)
        , m_opening(fleet, Plan::atATime, plan.timeout)
        , m_book(plan.areAnswered ? fleet.size() : 0, Plan::payload)
    {
    }

    /// Opens sessions of @p count more clients; returns their rate and processor time.
    Result<QJsonObject> open(std::size_t count)
    {
        const Clocks clocks(m_plan);
        const auto begin = Clock::now();
        const std::size_t before = opened();
        for (std::size_t i = 0; i < count; ++i)
            m_opening.add(m_next++);
        while (!m_opening.isOver() || m_book.underWay() > 0) {
            if (const auto stepped = step(); !stepped)
                return stepped.error();
        }
        QJsonObject figures;
        figures[View("handshakes_per_second")] =
            static_cast<double>(opened() - before) / seconds(Clock::now() - begin);
        addCpu(figures, clocks, opened() - before);
        return figures;
    }

    /// Takes what has come, also when nothing is left to open. Fails if too many sessions did not
    /// open or were ended.
    Result<> step()
    {
        m_opening.start(stepSize);
        const auto timeout =
            m_opening.canStart() ? Clock::duration::zero() : m_opening.nextLook() - Clock::now();
        for (const std::size_t client : m_fleet.wait(timeout))
            receive(client);
        const auto now = Clock::now();
        m_opening.tend(now, stepSize);
        m_unanswered += m_book.giveUp(now - unansweredAfter, now).size();
        if (failed() + ended() < tooManyFailures)
            return success();
        return Error{QStringLiteral("given up after %1 of %2 sessions: %3 did not open or were not "
                                    "answered, %4 were ended by the server; it is gone, or its "
                                    "limits are too low")
                         .arg(opened())
                         .arg(m_plan.clients)
                         .arg(failed())
                         .arg(ended())};
    }

    [[nodiscard]] std::size_t opened() const { return m_opening.durations().size(); }
    [[nodiscard]] std::size_t failed() const { return m_opening.failed() + m_unanswered; }
    /// By the server, after they had opened.
    [[nodiscard]] std::size_t ended() const { return m_fleet.lateAlerts(); }

private:
    void receive(std::size_t client)
    {
        LoadSession &session = m_fleet[client];
        if (m_plan.areAnswered && m_book.underWay(client) > 0) {
            bool isAnswered = false;
            session.receive([&](std::string_view reply) {
                isAnswered = m_book.answer(client, reply, Clock::now()) || isAnswered;
            });
            if (isAnswered)
                m_fleet.forget(client);
        } else if (m_opening.receive(client)) {
            if (m_plan.areAnswered)
                session.send(m_book.issue(client, Clock::now()));
            else
                m_fleet.forget(client);
        }
    }

    LoadFleet &m_fleet;
    const Plan &m_plan;
    Opening m_opening;
    MessageBook m_book; // of messages of open sessions
    std::size_t m_unanswered = 0;
    std::size_t m_next = 0;
};

void add(QJsonObject &figures, View prefix, const QJsonObject &part)
{
    for (auto figure = part.begin(); figure != part.end(); ++figure)
        figures[prefix + figure.key()] = figure.value();
}

/// What the number of sessions may change in an echo.
QJsonObject shortEcho(LoadFleet &fleet, const Plan &plan)
{
    QJsonObject figures;
    if (fleet.size() == 0)
        return figures;
    const QJsonObject all = echo(fleet, plan);
    for (const View key :
         {View("server_cpu_us"), View("service_cpu_us"), View("p99_us"), View("loss_percent")}) {
        if (all.contains(key))
            figures[key] = all[key];
    }
    return figures;
}

void addSessions(QJsonObject &figures, const Holding &holding)
{
    figures[View("opened")] = static_cast<qint64>(holding.opened());
    figures[View("failed")] = static_cast<qint64>(holding.failed());
    figures[View("ended")] = static_cast<qint64>(holding.ended());
}

} // namespace

Result<QJsonObject> measureHold(const Plan &plan)
{
    auto echoing = openFleet(plan, plan.echoClients);
    if (!echoing)
        return echoing.error();
    auto held = LoadFleet::make({.port = plan.port,
                                 .credentials = {plan.credentials},
                                 .clients = plan.clients,
                                 .makesSessions = false});
    if (!held)
        return held.error();
    settle();
    const double memoryBefore = memory(plan);
    Holding holding(*held.value(), plan);
    QJsonObject figures;

    const std::size_t part = std::min(largestPart, plan.clients / 10);
    const auto first = holding.open(part);
    if (!first)
        return first.error();
    add(figures, View("first_"), first.value());
    add(figures, View("first_echo_"), shortEcho(*echoing.value(), plan));
    const auto between = holding.open(plan.clients - 2 * part);
    if (!between)
        return between.error();
    add(figures, View(""), between.value());
    const auto last = holding.open(part);
    if (!last)
        return last.error();
    add(figures, View("last_"), last.value());

    settle();
    figures[View("session_kb")] = perEach(memory(plan) - memoryBefore, holding.opened()) / 1000;
    addIdleCpu(figures, plan);
    add(figures, View("last_echo_"), shortEcho(*echoing.value(), plan));
    addMemory(figures, plan);
    if (const auto stepped = holding.step(); !stepped)
        return stepped.error();
    addSessions(figures, holding);
    closeFleet(*echoing.value());
    return figures;
}

} // namespace dtlsd::bench
