// SPDX-License-Identifier: Apache-2.0
//
// Report: the measurements, as a growing table on standard output, and as JSON.
#pragma once

#include "bench/throughput/Bench.h"
#include "core/Result.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include <vector>

namespace dtlsd::bench {

class Report
{
public:
    /// Prints the head of the table.
    Report(const Load &load, const QString &workers, int queueLength);

    /// Adds one run of each.
    void add(const Measured &bare, const Measured &daemon);
    /// After the last run.
    void addMedians();
    /// The latency of one device that waits for each receipt.
    void addLatency(const QJsonObject &percentiles);

    [[nodiscard]] Result<> save(const QString &fileName) const;

private:
    QJsonObject m_json;
    std::vector<Measured> m_bare;
    std::vector<Measured> m_daemon;
};

} // namespace dtlsd::bench
