// SPDX-License-Identifier: Apache-2.0
//
// Bench: measures how fast messages of devices become journal entries with a receipt, and how fast
// a loop that only calls sd_journal_sendv() writes entries with the same fields. Each run has a
// journald of its own, with an empty journal.
#pragma once

#include "core/Result.h"

#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include <chrono>

namespace dtlsd::test {
class JournalInstance;
}

namespace dtlsd::bench {

struct Load
{
    int sessions = 50;
    int window = 16; ///< messages of a session without a receipt
    int messages = 100'000;
    int payload = 64; ///< bytes
};

/// The figures of one run.
struct Measured
{
    double seconds = 0;
    double entriesPerSecond = 0;
    // Processor time for an entry, in microseconds.
    double dtlsd = 0;
    double journald = 0;
    double sender = 0;
    QJsonObject latency; ///< percentiles of receipts in microseconds; empty for the bare loop
};

class Bench
{
public:
    /// @p workers is a value of `[server] workers`; @p programs is the folder of bare-loop and
    /// load-clients.
    Bench(QByteArray workers, QString programs);

    [[nodiscard]] Result<Measured> measureDaemon(const Load &load);
    /// Writes as many entries as @p load has messages, each as the daemon would write it.
    [[nodiscard]] Result<Measured> measureBareLoop(const Load &load);

private:
    [[nodiscard]] Result<Measured> measureDaemon(const Load &load,
                                                 test::JournalInstance &journal) const;
    [[nodiscard]] Result<QByteArray> learnEntries(Load load) const;
    [[nodiscard]] QByteArray config(const Load &load) const;

    const QByteArray m_workers;
    const QString m_programs;
    QByteArray m_entries; // templates, one for each session
};

} // namespace dtlsd::bench
