// SPDX-License-Identifier: Apache-2.0
//
// RelayLog: what a Relay decided, datagram by datagram, and which faults really came about: a
// datagram that was to be overtaken is only if another followed.
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

    /// The oldest entries give way to new ones.
    void decided(int client, const Sighting &sighting, qsizetype size, const Decision &decision);
    void happened(Fault fault, Flight flight) { ++m_happened[{fault, flight}]; }

    [[nodiscard]] const std::deque<Entry> &entries() const { return m_entries; }
    /// How many datagrams had that fault, of that flight or of any.
    [[nodiscard]] int count(Fault fault, std::optional<Flight> flight = {}) const;
    /// For people: a line per entry.
    [[nodiscard]] QString text() const;

private:
    static constexpr std::size_t maximumEntries = 1000;

    QElapsedTimer m_clock;
    std::deque<Entry> m_entries;
    std::map<std::pair<Fault, Flight>, int> m_happened;
};

} // namespace dtlsd::test
