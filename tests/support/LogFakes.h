// SPDX-License-Identifier: Apache-2.0
//
// Stand-ins at the seams of src/log: a sink that a test can stall, and a listener that remembers.
#pragma once

#include "log/LogQueue.h"
#include "log/Sink.h"

#include <QByteArray>
#include <QList>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace dtlsd::test {

inline LogRecord recordSaying(const QByteArray &message)
{
    LogRecord record;
    record.messageId = "0123456789abcdef0123456789abcdef";
    record.event = "test-event";
    record.message = message;
    return record;
}

/// 2026-01-02 03:04:05.123456 UTC
inline const std::chrono::system_clock::time_point someTime{
    std::chrono::microseconds(1767323045123456)};

inline LogRecord datagramRecord(const QByteArray &payload)
{
    LogRecord record = recordSaying("sensor-17 says hello");
    record.time = someTime;
    record.event = "datagram-received";
    record.fields.append({"DTLSD_SESSION", "00ff00ff00ff00ff", LogField::Kind::Text});
    record.fields.append({"DTLSD_PEER_PORT", "5683", LogField::Kind::Number});
    record.fields.append({"DTLSD_PAYLOAD", payload, LogField::Kind::Bytes});
    return record;
}

/// The fate of @p record; nullopt while @p sink does not know it.
inline std::optional<Fate> fateOf(const LogRecord &record, Sink &sink)
{
    sink.write(record);
    std::vector<Fate> outcomes;
    sink.settle(outcomes);
    return outcomes.size() == 1 ? std::optional(outcomes[0]) : std::nullopt;
}

/// Behaviour and history of a FakeSink, shared by the test and the log thread.
class SinkState
{
public:
    /// Forget: takes records, and their fate is Unverified.
    enum class Mode { Accept, Refuse, Stall, Forget };

    void set(Mode mode)
    {
        change([&] { m_mode = mode; });
    }

    /// While silent, the sink tells no fates.
    void setSilent(bool silent)
    {
        change([&] { m_silent = silent; });
    }
    bool isSilent() const
    {
        const std::lock_guard lock(m_mutex);
        return m_silent;
    }

    /// The messages accepted so far.
    QList<QByteArray> accepted() const
    {
        const std::lock_guard lock(m_mutex);
        return m_accepted;
    }

    /// Whether, within a long deadline, @p count messages are accepted.
    bool waitForAccepted(qsizetype count)
    {
        return waitFor([this, count] { return m_accepted.size() >= count; });
    }

    /// Whether, within a long deadline, a write stalls.
    bool waitForStall()
    {
        return waitFor([this] { return m_stalled; });
    }

    /// The sink's obstacle() from now on.
    void setObstacle(std::string obstacle)
    {
        change([&] { m_obstacle = std::move(obstacle); });
    }
    std::string obstacle() const
    {
        const std::lock_guard lock(m_mutex);
        return m_obstacle;
    }

    /// Called in the log thread.
    Fate write(const LogRecord &record)
    {
        std::unique_lock lock(m_mutex);
        m_stalled = m_mode == Mode::Stall;
        m_changed.notify_all();
        m_changed.wait(lock, [this] { return m_mode != Mode::Stall; });
        m_stalled = false;
        if (m_mode != Mode::Refuse)
            m_accepted.append(record.message);
        m_changed.notify_all();
        return m_mode == Mode::Accept   ? Fate::Kept
               : m_mode == Mode::Refuse ? Fate::Lost
                                        : Fate::Unverified;
    }

private:
    void change(const std::function<void()> &what)
    {
        const std::lock_guard lock(m_mutex);
        what();
        m_changed.notify_all();
    }

    bool waitFor(const std::function<bool()> &condition)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::seconds(30), condition);
    }

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    Mode m_mode = Mode::Accept;
    bool m_stalled = false;
    bool m_silent = false;
    std::string m_obstacle;
    QList<QByteArray> m_accepted;
};

class FakeSink final : public Sink
{
public:
    explicit FakeSink(std::shared_ptr<SinkState> state)
        : m_state(std::move(state))
    {
    }
    void write(const LogRecord &record) override { m_outcomes.push_back(m_state->write(record)); }
    [[nodiscard]] std::string obstacle() const override { return m_state->obstacle(); }
    [[nodiscard]] std::string lossReason() const override { return "refused"; }
    void settle(std::vector<Fate> &outcomes) override
    {
        if (m_state->isSilent())
            return;
        outcomes.insert(outcomes.end(), m_outcomes.begin(), m_outcomes.end());
        m_outcomes.clear();
    }

private:
    std::shared_ptr<SinkState> m_state;
    std::vector<Fate> m_outcomes;
};

/// What listeners were told, in one order for all of them: `a+` accepted, `a-` lost, `a.` the end
/// of a batch.
class ListenerLog
{
public:
    void append(QByteArray what)
    {
        const std::lock_guard lock(m_mutex);
        m_events.append(std::move(what));
        m_changed.notify_all();
    }

    QList<QByteArray> events() const
    {
        const std::lock_guard lock(m_mutex);
        return m_events;
    }

    bool waitFor(const QByteArray &event, qsizetype times)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::seconds(30),
                                  [&] { return m_events.count(event) >= times; });
    }

private:
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    QList<QByteArray> m_events;
};

class FakeListener final : public AcceptanceListener
{
public:
    FakeListener(ListenerLog &log, QByteArray name)
        : m_log(log)
        , m_name(std::move(name))
    {
    }
    void settled(std::uint64_t /*ticket*/, bool accepted) override
    {
        m_log.append(m_name + (accepted ? '+' : '-'));
    }
    void batchEnded() override { m_log.append(m_name + '.'); }

private:
    ListenerLog &m_log;
    const QByteArray m_name;
};

} // namespace dtlsd::test
