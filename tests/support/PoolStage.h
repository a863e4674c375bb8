// SPDX-License-Identifier: Apache-2.0
//
// PoolStage: a WorkerPool that listens, with a log that a test can stall; HungWorker makes a worker
// hang, Listener records answers.
#pragma once

#include "app/Mailbox.h"
#include "app/Reloader.h"
#include "app/WorkerPool.h"
#include "support/ChildProcess.h"
#include "support/ConfigFolder.h"
#include "support/LogFakes.h"
#include "support/TwoDevices.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace dtlsd::test {

inline const QByteArray plain = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\n[psk]\nfile =\n"
                                "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n"
                                "[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n";
inline const QByteArray withoutDev = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\n[psk]\nfile =\n"
                                     "[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n";

inline bool isDev(const SessionInfo &info)
{
    return info.identity == "dev";
}

/// A pool that listens, with a log that a test can stall; of two workers, unless a configuration
/// says otherwise.
class PoolStage
{
public:
    explicit PoolStage(std::chrono::milliseconds limit = std::chrono::seconds(30),
                       std::size_t logCapacity = 1024)
        : PoolStage(plain, {}, limit, logCapacity)
    {
    }
    /// With a configuration, and sockets as systemd passes them.
    PoolStage(const QByteArray &ini, const std::vector<int> &passed,
              std::chrono::milliseconds limit = std::chrono::seconds(30),
              std::size_t logCapacity = 1024)
        : sink(std::make_shared<SinkState>())
        , config(folder.load(ini).config)
        , writer(std::make_unique<FakeSink>(sink), logCapacity,
                 {[](const Losses &) { return recordSaying("dropped"); },
                  [](const Verifiability &) { return recordSaying("verifiability"); }})
        , pool(config, writer, m_mailbox, passed, m_keeping, limit)
    {
        m_mailbox.open();
        isListening = pool.bind(config.server.listen).ok();
        pool.serve(config.server.listen);
    }
    ~PoolStage()
    {
        sink->set(SinkState::Mode::Accept);
        pool.stop();
        m_mailbox.close();
    }
    PoolStage(const PoolStage &) = delete;
    PoolStage &operator=(const PoolStage &) = delete;

    std::function<void(Config &&)> putInForce()
    {
        return [this](Config &&next) { config = std::move(next); };
    }
    /// Opens @p count sessions more, a few at a time: a client's time runs from its first hello,
    /// and it reads no answer while the next ones are made.
    bool open(int count, DtlsClient::Options options)
    {
        constexpr int atOnce = 25;
        options.handshakeTimeout = std::chrono::minutes(5); // the deadlines here are shorter
        for (int i = 1; i <= count; ++i) {
            devices.push_back(std::make_unique<DtlsClient>(options));
            if (!devices.back()->connectTo(pool.listeners().addresses().constFirst()))
                return false;
            if ((i % atOnce == 0 || i == count) && !waitForDevices())
                return false;
        }
        return true;
    }
    /// Waits until the log has written everything.
    bool waitForLog() const
    {
        return waitUntil([this] { return writer.state().waiting == 0; },
                         QDeadlineTimer(test::patience));
    }
    /// Stalls the log with so many entries in its queue that LogWriter::keepsUp() is false.
    bool stallLog()
    {
        if (!waitForLog())
            return false;
        sink->set(SinkState::Mode::Stall);
        static_cast<void>(writer.push({recordSaying("stalls")}));
        if (!sink->waitForStall())
            return false;
        while (writer.keepsUp())
            static_cast<void>(writer.push({recordSaying("waits")}));
        return true;
    }

    ConfigFolder folder;
    std::shared_ptr<SinkState> sink;
    Config config;

private:
    bool waitForDevices() const
    {
        return waitUntil(
            [this] {
                return std::ranges::all_of(devices, [](const auto &d) { return d->isConnected(); });
            },
            QDeadlineTimer(test::patience));
    }

    Mailbox m_mailbox;
    Keeping m_keeping{KeepSessionsUse::Off, {}};

public:
    LogWriter writer;
    WorkerPool pool;
    bool isListening = false;
    std::vector<std::unique_ptr<DtlsClient>> devices;
};

/// Makes a worker hang, or all of them, until release(), or its end.
class HungWorker
{
public:
    explicit HungWorker(WorkerPool &pool, const QString &name = {})
    {
        pool.ask<int>(
            [this, name](Worker &worker, const Then<int> &answer) {
                if (name.isEmpty() || worker.objectName() == name)
                    m_latch.wait();
                answer(0);
            },
            {}, [this](const auto &) { m_hasAnswered = true; });
    }
    HungWorker(const HungWorker &) = delete;
    HungWorker &operator=(const HungWorker &) = delete;
    ~HungWorker() { release(); }

    void release()
    {
        if (!std::exchange(m_isReleased, true))
            m_latch.count_down();
        static_cast<void>(
            waitUntil([this] { return m_hasAnswered; }, QDeadlineTimer(test::patience)));
    }

private:
    std::latch m_latch{1};
    bool m_isReleased = false;
    bool m_hasAnswered = false;
};

/// Records answers, in order.
struct Listener
{
    template <class T>
    auto hear(const QString &name)
    {
        return [this, name](const Result<T> &result) {
            heard += name + (result ? QString() : QStringLiteral(": ") + result.error().message);
        };
    }
    auto hearCount(const QString &name)
    {
        return [this, name](std::int64_t count) {
            heard += QStringLiteral("%1: %2").arg(name).arg(count);
        };
    }
    auto hearOutcome(const QString &name)
    {
        return [this, name](const ReloadOutcome &outcome) {
            const auto *rejected = std::get_if<ReloadRejected>(&outcome);
            heard += name + (rejected ? QStringLiteral(": ") + rejected->error.text : QString());
        };
    }
    /// Whether @p count answers come, or more.
    bool waitForAtLeast(qsizetype count) const
    {
        return waitUntil([&] { return heard.size() >= count; }, QDeadlineTimer(test::patience));
    }
    /// Whether exactly @p count answers come.
    bool waitFor(qsizetype count) const { return waitForAtLeast(count) && heard.size() == count; }

    QStringList heard;
};

} // namespace dtlsd::test
