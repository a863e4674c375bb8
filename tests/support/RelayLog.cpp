// SPDX-License-Identifier: Apache-2.0
#include "support/RelayLog.h"

namespace dtlsd::test {

namespace {

QString lineOf(const RelayLog::Entry &entry)
{
    const bool toServer = entry.sighting.direction == Direction::ToServer;
    QString line = QStringLiteral("%1 ms client %2 %3 %4 (%5), %6 bytes: %7")
                       .arg(entry.after, 6)
                       .arg(entry.client)
                       .arg(toServer ? QStringLiteral("->") : QStringLiteral("<-"))
                       .arg(nameOf(entry.sighting.flight))
                       .arg(entry.sighting.transmission)
                       .arg(entry.size)
                       .arg(nameOf(entry.decision.fault));
    if (entry.decision.fault == Fault::Delay)
        line += QStringLiteral(" by %1 ms").arg(entry.decision.hold.count());
    return line + u'\n';
}

} // namespace

void RelayLog::decided(int client, const Sighting &sighting, qsizetype size,
                       const Decision &decision)
{
    if (m_entries.size() == maximumEntries)
        m_entries.pop_front();
    m_entries.push_back({m_clock.elapsed(), client, sighting, size, decision});
}

int RelayLog::count(Fault fault, std::optional<Flight> flight) const
{
    int sum = 0;
    for (const auto &[what, times] : m_happened) {
        if (what.first == fault && (!flight || what.second == *flight))
            sum += times;
    }
    return sum;
}

QString RelayLog::text() const
{
    QString lines;
    for (const Entry &entry : m_entries)
        lines += lineOf(entry);
    return lines;
}

} // namespace dtlsd::test
