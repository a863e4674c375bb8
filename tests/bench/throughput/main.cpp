// SPDX-License-Identifier: Apache-2.0
//
// Usage: journal-throughput [OPTIONS], as root; --help lists them.
// Runs a bare loop of sd_journal_sendv() and dtlsd in turn, each with a journald of its own, and
// prints how fast entries reached the journal and the CPU time per entry. Fails if an entry is
// missing or duplicated.
#include "bench/throughput/Bench.h"
#include "bench/throughput/NetworkNamespace.h"
#include "bench/throughput/Report.h"

#include <QCommandLineParser>
#include <QCoreApplication>

#include <cstdio>
#include <cstdlib>

using namespace dtlsd;
using namespace dtlsd::bench;

namespace {

constexpr int wrongUsage = 64;

struct Options
{
    Load load;
    QString workers;
    int runs = 0;
    int queueLength = 0;
    bool latency = false;
    QString json;
};

Options parse(const QCoreApplication &application)
{
    QCommandLineParser parser;
    const auto option = [&parser](const char *name, const char *what, const QString &value) {
        parser.addOption({QString::fromLatin1(name),
                          QString::fromLatin1(what) + QStringLiteral("; %1.").arg(value),
                          QStringLiteral("NUMBER"), value});
    };
    const Load load;
    option("sessions", "Devices", QString::number(load.sessions));
    option("window", "Messages of a device without a receipt", QString::number(load.window));
    option("datagrams", "Messages in a run", QString::number(load.messages));
    option("payload", "Bytes of a message, at least 10", QString::number(load.payload));
    option("workers", "Of dtlsd", QStringLiteral("auto"));
    option("runs", "Of each kind", QStringLiteral("5"));
    option("queue-length", "net.unix.max_dgram_qlen, here only; systemd sets as much when it boots",
           QStringLiteral("512"));
    parser.addOption({QStringLiteral("latency"),
                      QStringLiteral("How long one device waits for each of 10000 receipts.")});
    parser.addOption(
        {QStringLiteral("json"), QStringLiteral("All numbers, for plot."), QStringLiteral("FILE")});
    parser.addHelpOption();
    parser.process(application);

    const auto number = [&parser](const char *name) {
        const QString text = parser.value(QString::fromLatin1(name));
        if (text.toInt() < 1) {
            static_cast<void>(
                std::fprintf(stderr, "--%s %s: give a number above 0\n", name, qPrintable(text)));
            std::exit(wrongUsage);
        }
        return text.toInt();
    };
    return {.load = {.sessions = number("sessions"),
                     .window = number("window"),
                     .messages = number("datagrams"),
                     .payload = number("payload")},
            .workers = parser.value(QStringLiteral("workers")),
            .runs = number("runs"),
            .queueLength = number("queue-length"),
            .latency = parser.isSet(QStringLiteral("latency")),
            .json = parser.value(QStringLiteral("json"))};
}

Result<> runAll(const Options &options, Report &report)
{
    Bench bench(options.workers.toUtf8(), QCoreApplication::applicationDirPath());
    for (int run = 0; run < options.runs; ++run) {
        const auto bare = bench.measureBareLoop(options.load);
        if (!bare)
            return bare.error();
        const auto daemon = bench.measureDaemon(options.load);
        if (!daemon)
            return daemon.error();
        report.add(bare.value(), daemon.value());
    }
    report.addMedians();
    if (!options.latency)
        return success();
    Load lone = options.load;
    lone.sessions = lone.window = 1;
    lone.messages = 10'000;
    const auto daemon = bench.measureDaemon(lone);
    if (!daemon)
        return daemon.error();
    report.addLatency(daemon.value().latency);
    return success();
}

int complain(const Error &error)
{
    static_cast<void>(std::fprintf(stderr, "journal-throughput: %s\n", qPrintable(error.message)));
    return EXIT_FAILURE;
}

} // namespace

int main(int argc, char *argv[])
{
    const auto entered = enterOwnNetwork(); // QCoreApplication may make threads
    QCoreApplication application(argc, argv);
    const Options options = parse(application);
    if (!entered)
        return complain(entered.error());
    if (const auto set = setUnixQueueLength(options.queueLength); !set)
        return complain(set.error());

    Report report(options.load, options.workers, options.queueLength);
    const auto outcome = runAll(options, report);
    if (!outcome)
        return complain(outcome.error());
    if (options.json.isEmpty())
        return EXIT_SUCCESS;
    const auto saved = report.save(options.json);
    return saved ? EXIT_SUCCESS : complain(saved.error());
}
