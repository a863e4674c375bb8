// SPDX-License-Identifier: Apache-2.0
//
// RelayLog: a Relay's decisions, datagram by datagram, and the faults that really happened: a
// datagram is overtaken only if another follows.
#pragma once

#include "support/FaultStream.h"

#include <QElapsedTimer>
#include <QString>

#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace dtlsd::test {

class RelayLog
{
public:
    struct Entry
    {
        qint64 after = 0; ///< ms since the relay began
        int client = 0;   ///< 0, 1, … in the order in which they came
        Sighting sighting;
        qsizetype size = 0; ///< bytes, before any fault
        Decision decision;
    };

    RelayLog() { m_clock.start(); }

    /// Adds an entry; the oldest entries make room.
    void decided(int client, const Sighting &sighting, qsizetype size, const Decision &decision);
    void happened(Fault fault, Flight flight) { ++m_happened[{fault, flight}]; }

    [[nodiscard]] const std::deque<Entry> &entries() const { return m_entries; }
    /// How many datagrams had @p fault, of @p flight or of any.
    [[nodiscard]] int count(Fault fault, std::optional<Flight> flight = {}) const;
    /// A readable text, one line per entry.
    [[nodiscard]] QString text() const;

private:
    static constexpr std::size_t maximumEntries = 1000;

    QElapsedTimer m_clock;
    std::deque<Entry> m_entries;
    std::map<std::pair<Fault, Flight>, int> m_happened;
};

} // namespace dtlsd::test
