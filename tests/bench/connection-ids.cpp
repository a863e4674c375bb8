// SPDX-License-Identifier: Apache-2.0
//
// Usage: connection-ids [ECHOES]
// Measures dtlsd's CPU time for an echo of 64 bytes, without a connection ID and with one of 8
// bytes in both directions, in turns against one dtlsd: five times 20,000 each, or ECHOES. Prints
// medians in microseconds, and their ratio.
#include "support/DaemonProcess.h"
#include "support/KeyedLink.h"
#include "support/TestKey.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

constexpr int devices = 8;
constexpr int rounds = 5;

/// CPU time of a process, in microseconds (proc_pid_stat(5)).
double cpuMicroseconds(qint64 process)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(process));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("%s", qPrintable(file.errorString()));
    const QByteArray text = file.readAll();
    const QList<QByteArray> fields = text.sliced(text.lastIndexOf(')') + 2).split(' ');
    return (fields[11].toDouble() + fields[12].toDouble()) * 1e6 /
           static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// What an echo costs @p daemon, over sessions that are made before.
double measure(DaemonProcess &daemon, bool hasIds, int echoes)
{
    std::vector<std::unique_ptr<KeyedLink>> links;
    int connected = 0;
    int left = echoes;
    int underWay = 0;
    const QByteArray message(64, 'm');
    for (int i = 0; i < devices; ++i) {
        KeyedClient::Options options{.identity = "device", .key = testKey};
        if (hasIds)
            options.connectionId = QByteArray(8, 'c');
        KeyedLink &link = *links.emplace_back(std::make_unique<KeyedLink>(options));
        QObject::connect(&link, &KeyedLink::connected, &link, [&] { ++connected; });
        QObject::connect(&link, &KeyedLink::received, &link, [&] {
            --underWay;
            if (left > 0) {
                --left;
                ++underWay;
                link.send(message);
            }
        });
        link.start(daemon.addresses().constFirst());
    }
    if (!waitUntil([&] { return connected == devices; }, QDeadlineTimer(patience)))
        qFatal("a device gets no session");
    const double before = cpuMicroseconds(daemon.process().processId());
    for (const auto &link : links) {
        --left;
        ++underWay;
        link->send(message);
    }
    if (!waitUntil([&] { return left == 0 && underWay == 0; }, QDeadlineTimer(10 * patience)))
        qFatal("%d echoes are missing", left + underWay);
    const double used = cpuMicroseconds(daemon.process().processId()) - before;
    for (const auto &link : links)
        link->close();
    return used / echoes;
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const int echoes = argc > 1 ? std::max(QByteArray(argv[1]).toInt(), devices) : 20'000;
    DaemonProcess daemon("[server]\nlisten = 127.0.0.1:0\nworkers = 1\nreply = echo\n"
                         "[log]\nlevel = notice\n[psk]\nfile =\n[identity device]\nkey = hex:" +
                         hexKey + '\n');
    if (!daemon.start())
        qFatal("%s", qPrintable(daemon.errorText()));
    std::array<std::vector<double>, 2> costs;
    for (int round = 0; round < rounds; ++round) {
        for (const bool hasIds : {false, true})
            costs.at(hasIds ? 1 : 0).push_back(measure(daemon, hasIds, echoes));
    }
    for (auto &each : costs)
        std::ranges::nth_element(each, each.begin() + rounds / 2);
    const double without = costs[0][rounds / 2];
    const double with = costs[1][rounds / 2];
    std::printf("an echo: %.2f us without a connection ID, %.2f us with one: %.2f times\n", without,
                with, with / without);
    return daemon.stop() == 0 ? 0 : 1;
}
