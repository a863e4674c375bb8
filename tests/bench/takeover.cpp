// SPDX-License-Identifier: Apache-2.0
//
// Usage: takeover [sessions [SESSIONS] | echoes [ECHOES]]
// What it costs that sessions outlive dtlsd's process, under a service manager of this program's
// own that keeps descriptors.
// sessions: opens 100,000 sessions, or SESSIONS; prints resident memory for each, with and without
// keep_sessions, and how long the next process takes from exec to `started` after SIGKILL and after
// a restart by command.
// echoes: prints user instructions for an echo of 64 bytes to one of ten clients, with and without
// keep_sessions, as valgrind's callgrind counts them: the difference of two runs, one of which has
// 5,000 echoes more, or ECHOES. With ten under way dtlsd handles several at once, and how many
// depends on what else the machine does; with one under way the difference is exact.
#include "bench/load/EchoLoad.h"
#include "bench/load/LoadFleet.h"
#include "bench/load/Opening.h"
#include "support/ControlPeer.h"
#include "support/DescriptorLimit.h"
#include "support/JsonFields.h"
#include "support/ProcessUsage.h"
#include "support/ServiceManager.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>

using namespace dtlsd;
using namespace dtlsd::bench;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray key(16, 'K');
constexpr std::size_t handshakesAtOnce = 64;

QByteArray configuration(bool keeps, const QByteArray &workers, quint16 port = 0)
{
    return "[server]\nlisten = 127.0.0.1:" + QByteArray::number(port) + "\nworkers = " + workers +
           "\nreply = echo\nkeep_sessions = " + (keeps ? "auto" : "no") +
           "\n[limits]\nmax_sessions = 1100000\nmax_half_open = 100000\nidle_timeout = 24h\n"
           "[log]\nlevel = notice\n[psk]\nfile =\n[identity device]\nkey = hex:" +
           key.toHex() + '\n';
}

[[noreturn]] void fail(ServiceManager &manager, const char *what)
{
    std::printf("FAILED: %s\n%s", what, qPrintable(manager.daemon().errorText()));
    std::exit(1);
}

std::unique_ptr<LoadFleet> fleetFor(ServiceManager &manager, std::size_t clients)
{
    auto fleet =
        LoadFleet::make({.port = manager.daemon().ports().constLast(),
                         .credentials = {DeviceKey{.identity = "device", .key = PskKey(key)}},
                         .clients = clients,
                         .makesSessions = false});
    if (!fleet)
        fail(manager, qPrintable(fleet.error().message));
    return std::move(fleet).value();
}

/// Opens all sessions of @p fleet; frees the client's end of each at once if nobody @p uses it.
void open(ServiceManager &manager, LoadFleet &fleet, bool uses)
{
    Opening opening(fleet, handshakesAtOnce, 2min);
    for (std::size_t i = 0; i < fleet.size(); ++i)
        opening.add(i);
    while (!opening.isOver()) {
        opening.start(handshakesAtOnce);
        const auto timeout = opening.canStart() ? LoadFleet::Clock::duration::zero()
                                                : opening.nextLook() - LoadFleet::Clock::now();
        for (const std::size_t client : fleet.wait(timeout)) {
            if (opening.receive(client) && !uses)
                fleet.forget(client);
        }
        opening.tend(LoadFleet::Clock::now(), handshakesAtOnce);
        if (opening.failed() > 0)
            fail(manager, "a session does not open");
    }
}

qint64 openSessions(ServiceManager &manager)
{
    return number(ControlPeer::ask(manager.daemon().controlSocket(), R"({"command":"status"})"),
                  "sessions");
}

/// KiB
qint64 memory(ServiceManager &manager)
{
    return ProcessUsage(manager.daemon().process().processId()).memory();
}

/// Of the process until now, in seconds.
double processorTime(ServiceManager &manager)
{
    clockid_t clock{};
    timespec time{};
    const auto process = static_cast<pid_t>(manager.daemon().process().processId());
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0)
        fail(manager, "dtlsd has ended");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Starts the next process, and says how long that took.
void startAgain(ServiceManager &manager, const char *after)
{
    QElapsedTimer clock;
    clock.start();
    if (!manager.start(QDeadlineTimer(2min)))
        fail(manager, "the next process does not start");
    const double took = static_cast<double>(clock.nsecsElapsed()) / 1e9;
    const double used = processorTime(manager);
    std::printf("after %s: %.2f s to `started`, of the processor %.2f s, %lld sessions, %lld KiB "
                "resident\n  %s\n",
                after, took, used, static_cast<long long>(openSessions(manager)),
                static_cast<long long>(memory(manager)),
                qPrintable(text(manager.daemon().events(QStringLiteral("started")).constLast(),
                                "message")));
}

void measureSessions(std::size_t sessions)
{
    for (const bool keeps : {false, true}) {
        ServiceManager manager(configuration(keeps, "auto"));
        if (!manager.start())
            fail(manager, "dtlsd does not start");
        const auto fleet = fleetFor(manager, sessions);
        const qint64 before = memory(manager);
        open(manager, *fleet, false);
        const double each =
            static_cast<double>(memory(manager) - before) * 1024 / static_cast<double>(sessions);
        std::printf("keep_sessions = %s: %.0f bytes resident for a session\n",
                    keeps ? "auto" : "no", each);
        if (keeps) {
            manager.daemon().setConfig(
                configuration(keeps, "auto", manager.daemon().ports().constLast()));
            for (int time = 0; time < 3; ++time) {
                if (!manager.end(SIGKILL))
                    fail(manager, "dtlsd survives SIGKILL");
                startAgain(manager, "SIGKILL");
                if (!manager.endByRestart(QDeadlineTimer(1min)))
                    fail(manager, "dtlsd does not end for a restart");
                startAgain(manager, "a restart by command");
            }
        }
        if (!manager.end(SIGKILL))
            fail(manager, "dtlsd survives SIGKILL");
    }
}

/// All user instructions of a dtlsd that serves that many echoes.
double instructionsFor(bool keeps, std::size_t underWay, std::size_t echoes)
{
    const QTemporaryDir folder;
    const QString counts = folder.filePath(QStringLiteral("counts"));
    ServiceManager manager(configuration(keeps, "1"));
    manager.daemon().runBy({QStringLiteral("valgrind"),
                            {QStringLiteral("-q"), QStringLiteral("--tool=callgrind"),
                             QStringLiteral("--callgrind-out-file=") + counts}});
    if (!manager.start(QDeadlineTimer(5min)))
        fail(manager, "dtlsd does not start under valgrind");
    const auto fleet = fleetFor(manager, 10);
    open(manager, *fleet, true);
    EchoLoad load(*fleet, {.window = 1, .underWay = underWay});
    if (!load.runUntil(echoes))
        fail(manager, "an echo is missing");
    if (manager.stop(QDeadlineTimer(5min)) != 0)
        fail(manager, "dtlsd does not stop");
    QFile file(counts);
    if (!file.open(QIODevice::ReadOnly))
        fail(manager, "valgrind has counted nothing");
    double instructions = 0;
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith("totals:") || line.startsWith("summary:"))
            instructions = line.sliced(line.indexOf(':') + 1).trimmed().toDouble();
    }
    return instructions;
}

void measureEchoes(std::size_t echoes)
{
    constexpr std::size_t first = 1000; // what is made once
    for (const std::size_t underWay : {std::size_t{1}, std::size_t{10}}) {
        std::array<double, 2> costs{};
        for (const bool keeps : {false, true})
            costs.at(keeps ? 1 : 0) = (instructionsFor(keeps, underWay, first + echoes) -
                                       instructionsFor(keeps, underWay, first)) /
                                      static_cast<double>(echoes);
        std::printf(
            "%2zu under way: %.0f user instructions for an echo without keep_sessions, %.0f "
            "with it: %.0f more, %.3f times\n",
            underWay, costs[0], costs[1], costs[1] - costs[0], costs[1] / costs[0]);
    }
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const QByteArray mode = argc > 1 ? argv[1] : "sessions";
    bool isNumber = true;
    const int usual = mode == "echoes" ? 5'000 : 100'000;
    const int count = argc > 2 ? QByteArray(argv[2]).toInt(&isNumber) : usual;
    if (argc > 3 || !isNumber || count < 1 || (mode != "sessions" && mode != "echoes")) {
        static_cast<void>(
            std::fprintf(stderr, "Usage: takeover [sessions [SESSIONS] | echoes [ECHOES]]\n"));
        return 64;
    }
    raiseDescriptorLimit();
    static_cast<void>(setvbuf(stdout, nullptr, _IOLBF, 0)); // the defaults work as well
    if (mode == "echoes")
        measureEchoes(static_cast<std::size_t>(count));
    else
        measureSessions(static_cast<std::size_t>(count));
    return 0;
}
