// SPDX-License-Identifier: Apache-2.0
//
// Bench: how fast messages of devices become entries of a journal with a receipt, and how fast
// entries of the same fields get there from a loop of sd_journal_sendv() that does nothing else.
// Each run has a journald of its own, with an empty journal.
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

/// Of one run.
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
    /// @p workers as `[server] workers` has it; @p programs is the folder of bare-loop and
    /// load-clients.
    Bench(QByteArray workers, QString programs);

    [[nodiscard]] Result<Measured> measureDaemon(const Load &load);
    /// As many entries as @p load has messages, each as the daemon would write it.
    [[nodiscard]] Result<Measured> measureBareLoop(const Load &load);

private:
    [[nodiscard]] Result<Measured> measureDaemon(const Load &load,
                                                 test::JournalInstance &journal) const;
    [[nodiscard]] Result<QByteArray> learnEntries(Load load) const;
    [[nodiscard]] QByteArray config(const Load &load) const;

    const QByteArray m_workers;
    const QString m_programs;
    QByteArray m_entries; // to go by, one of each session
};

} // namespace dtlsd::bench
