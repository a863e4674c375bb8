// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/Report.h"

#include <QFile>
#include <QJsonDocument>
#include <QThread>

#include <algorithm>
#include <cstdio>

namespace dtlsd::bench {

namespace {

QJsonObject toJson(const Measured &run)
{
    return {{QStringLiteral("seconds"), run.seconds},
            {QStringLiteral("entries_per_second"), run.entriesPerSecond},
            {QStringLiteral("cpu_us"), QJsonObject{{QStringLiteral("dtlsd"), run.dtlsd},
                                                   {QStringLiteral("journald"), run.journald},
                                                   {QStringLiteral("sender"), run.sender}}},
            {QStringLiteral("latency_us"), run.latency}};
}

QJsonArray toJson(const std::vector<Measured> &runs)
{
    QJsonArray array;
    for (const Measured &run : runs)
        array += toJson(run);
    return array;
}

double median(const std::vector<Measured> &runs, double Measured::*member)
{
    std::vector<double> values(runs.size());
    std::transform(runs.begin(), runs.end(), values.begin(),
                   [member](const Measured &run) { return run.*member; });
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Measured medians(const std::vector<Measured> &runs)
{
    Measured result;
    for (const auto member : {&Measured::seconds, &Measured::entriesPerSecond, &Measured::dtlsd,
                              &Measured::journald, &Measured::sender})
        result.*member = median(runs, member);
    return result;
}

void printRow(const QByteArray &name, const char *what, const Measured &run, double bareRate)
{
    std::printf("%-6s  %-9s  %9.0f  %5.2f  %6.1f  %8.1f  %6.1f\n", name.constData(), what,
                run.entriesPerSecond, run.entriesPerSecond / bareRate, run.dtlsd, run.journald,
                run.sender);
    static_cast<void>(std::fflush(stdout));
}

void printRows(const QByteArray &name, const Measured &bare, const Measured &daemon)
{
    printRow(name, "bare loop", bare, bare.entriesPerSecond);
    printRow(name, "dtlsd", daemon, bare.entriesPerSecond);
}

} // namespace

Report::Report(const Load &load, const QString &workers, int queueLength)
    : m_json{{QStringLiteral("sessions"), load.sessions},
             {QStringLiteral("window"), load.window},
             {QStringLiteral("datagrams"), load.messages},
             {QStringLiteral("payload"), load.payload},
             {QStringLiteral("workers"), workers},
             {QStringLiteral("cores"), QThread::idealThreadCount()},
             {QStringLiteral("queue_length"), queueLength}}
{
    std::printf("%d datagrams of %d bytes from %d sessions with %d each under way; workers = %s,\n"
                "%d cores, net.unix.max_dgram_qlen = %d\n\n"
                "                                     microseconds of CPU per entry\n"
                "run     what        entries/s  ratio   dtlsd  journald  sender\n",
                load.messages, load.payload, load.sessions, load.window, qPrintable(workers),
                QThread::idealThreadCount(), queueLength);
}

void Report::add(const Measured &bare, const Measured &daemon)
{
    m_bare.push_back(bare);
    m_daemon.push_back(daemon);
    printRows(QByteArray::number(static_cast<qulonglong>(m_bare.size())), bare, daemon);
}

void Report::addMedians()
{
    const Measured bare = medians(m_bare);
    const Measured daemon = medians(m_daemon);
    printRows("median", bare, daemon);
    m_json[QStringLiteral("runs")] = QJsonObject{{QStringLiteral("bare"), toJson(m_bare)},
                                                 {QStringLiteral("dtlsd"), toJson(m_daemon)}};
    m_json[QStringLiteral("median")] =
        QJsonObject{{QStringLiteral("bare"), toJson(bare)},
                    {QStringLiteral("dtlsd"), toJson(daemon)},
                    {QStringLiteral("ratio"), daemon.entriesPerSecond / bare.entriesPerSecond}};
}

void Report::addLatency(const QJsonObject &percentiles)
{
    std::printf("\nmicroseconds from a message to its receipt, one at a time:");
    for (auto each = percentiles.begin(); each != percentiles.end(); ++each)
        std::printf(" %s %.0f", qPrintable(each.key()), each.value().toDouble());
    std::printf("\n");
    m_json[QStringLiteral("latency_us")] = percentiles;
}

Result<> Report::save(const QString &fileName) const
{
    QFile file(fileName);
    const QByteArray text = QJsonDocument(m_json).toJson();
    if (file.open(QIODevice::WriteOnly) && file.write(text) == text.size() && file.flush())
        return success();
    return Error{QStringLiteral("%1: %2").arg(fileName, file.errorString())};
}

} // namespace dtlsd::bench
