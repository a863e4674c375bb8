// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/Bench.h"

#include "bench/load/CpuClock.h"
#include "bench/throughput/Contestant.h"
#include "bench/throughput/JournalCount.h"
#include "bench/throughput/Load.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"

#include <optional>
#include <utility>

namespace dtlsd::bench {

namespace {

using test::DaemonProcess;
using test::JournalInstance;

// Has room for a full run, so nothing is vacuumed.
const JournalInstance::Options roomyJournal{.settings = "RuntimeMaxUse=2G\nRuntimeKeepFree=1G"};

double microsecondsPer(int entries, std::chrono::nanoseconds time)
{
    return std::chrono::duration<double, std::micro>(time).count() / entries;
}

test::Command loadClients(const QString &programs, DaemonProcess &daemon, const Load &load)
{
    const auto addresses = daemon.addresses();
    const quint16 port = addresses.isEmpty() ? quint16{0} : addresses.first().port();
    return {programs + QStringLiteral("/load-clients"),
            {QString::number(port), QString::number(load.sessions), QString::number(load.window),
             QString::number(load.messages), QString::number(load.payload)}};
}

/// The fields that the writer of the entry has sent, one a line.
QByteArray sentFields(const QJsonObject &entry)
{
    QByteArray lines;
    for (auto field = entry.begin(); field != entry.end(); ++field) {
        if (!field.key().startsWith(u'_'))
            lines += field.key().toUtf8() + '=' + JournalInstance::bytes(field.value()) + '\n';
    }
    return lines + '\n';
}

Result<> checkJournal(const JournalInstance &journal, const Load &load)
{
    const auto messages = static_cast<std::size_t>(load.messages);
    const auto count =
        JournalCount::of(journal.outsidePath(JournalInstance::journalDirectory()), messages);
    if (!count)
        return count.error();
    if (count.value().entries == messages && count.value().distinct == messages)
        return success();
    return Error{QStringLiteral("of %1 messages %2 are in the journal, with %3 entries")
                     .arg(messages)
                     .arg(count.value().distinct)
                     .arg(count.value().entries)};
}

/// Starts @p contestant's run, and reads the clocks before and after.
Result<Measured> measure(Contestant &contestant, const JournalInstance &journal,
                         std::optional<CpuClock> dtlsd, const Load &load)
{
    const CpuClock sender(static_cast<pid_t>(contestant.processId()));
    const CpuClock journald(static_cast<pid_t>(journal.processId()));
    const auto outcome = contestant.go();
    if (!outcome)
        return outcome.error();
    Measured measured;
    measured.dtlsd = dtlsd ? microsecondsPer(load.messages, dtlsd->elapsed()) : 0;
    measured.journald = microsecondsPer(load.messages, journald.elapsed());
    measured.sender = microsecondsPer(load.messages, sender.elapsed());
    measured.seconds = outcome.value()[QStringLiteral("seconds")].toDouble();
    measured.entriesPerSecond = load.messages / measured.seconds;
    measured.latency = outcome.value()[QStringLiteral("latency")].toObject();
    const auto complete = checkJournal(journal, load);
    return complete ? Result<Measured>(measured) : complete.error();
}

} // namespace

Bench::Bench(QByteArray workers, QString programs)
    : m_workers(std::move(workers))
    , m_programs(std::move(programs))
{
}

QByteArray Bench::config(const Load &load) const
{
    QByteArray text =
        "[server]\nlisten = 127.0.0.1:0\nreply = ack\nworkers = " + m_workers + "\n[psk]\nfile =\n";
    for (int session = 0; session < load.sessions; ++session)
        text += "[identity " + QByteArray::fromStdString(identity(session)) +
                "]\nkey = hex:" + keyHex + "\n";
    return text;
}

Result<Measured> Bench::measureDaemon(const Load &load)
{
    JournalInstance journal(roomyJournal);
    return measureDaemon(load, journal);
}

Result<Measured> Bench::measureDaemon(const Load &load, JournalInstance &journal) const
{
    if (!journal.start())
        return Error{journal.errorText()};
    DaemonProcess daemon(config(load), &journal);
    if (!daemon.start())
        return Error{daemon.errorText()};
    Contestant clients;
    const auto ready = clients.prepare(loadClients(m_programs, daemon, load));
    if (!ready)
        return ready.error();
    return measure(clients, journal, CpuClock(static_cast<pid_t>(daemon.process().processId())),
                   load);
}

Result<Measured> Bench::measureBareLoop(const Load &load)
{
    if (m_entries.isEmpty()) {
        auto entries = learnEntries(load);
        if (!entries)
            return entries.error();
        m_entries = std::move(entries).value();
    }
    JournalInstance journal(roomyJournal);
    if (!journal.start())
        return Error{journal.errorText()};
    Contestant loop;
    const auto ready = loop.prepare(
        journal.wrap({m_programs + QStringLiteral("/bare-loop"), {QString::number(load.messages)}}),
        m_entries + '\n');
    if (!ready)
        return ready.error();
    return measure(loop, journal, std::nullopt, load);
}

/// The daemon's entries after each session has sent one message.
Result<QByteArray> Bench::learnEntries(Load load) const
{
    JournalInstance journal(roomyJournal);
    load.messages = load.sessions;
    load.window = 1;
    const auto measured = measureDaemon(load, journal);
    if (!measured)
        return measured.error();
    QByteArray lines;
    for (const QJsonObject &entry :
         journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, load.sessions))
        lines += sentFields(entry);
    return lines;
}

} // namespace dtlsd::bench
