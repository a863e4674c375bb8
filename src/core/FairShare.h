// SPDX-License-Identifier: Apache-2.0
//
// FairShare: how the room of a bounded queue is divided. The first half goes to whoever comes
// first; the second half is divided equally among the sources that have something in the queue, so
// that a source that fills the queue cannot keep the others out.
#pragma once

#include <cstddef>

namespace dtlsd {

struct FairShare
{
    std::size_t entries = 0;
    std::size_t bytes = 0;

    void add(std::size_t size)
    {
        ++entries;
        bytes += size;
    }
    void remove(std::size_t size)
    {
        --entries;
        bytes -= size;
    }

    /// Whether one more entry of @p size stays within 1 / @p parts of @p capacity.
    [[nodiscard]] bool hasRoom(std::size_t size, const FairShare &capacity,
                               std::size_t parts = 1) const
    {
        return (entries + 1) * parts <= capacity.entries &&
               (bytes + size) * parts <= capacity.bytes;
    }

    /// Whether a queue of @p capacity that holds @p used takes one more entry of @p size from a
    /// source that holds @p own, one of @p sources.
    static bool takes(std::size_t size, const FairShare &own, std::size_t sources,
                      const FairShare &used, const FairShare &capacity)
    {
        if (!used.hasRoom(size, capacity))
            return false;
        return used.hasRoom(size, capacity, 2) || own.hasRoom(size, capacity, 2 * sources);
    }
};

} // namespace dtlsd
