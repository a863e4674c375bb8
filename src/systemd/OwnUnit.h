// SPDX-License-Identifier: Apache-2.0
//
// OwnUnit: what the service manager says of the unit that this process runs in, asked on the bus:
// on the user's own if the process belongs to a user's service manager, else on the system's.
#pragma once

#include "core/Result.h"

#include <chrono>

namespace dtlsd {

/// What the service manager is about to do with a unit.
enum class UnitJob {
    None,
    Stop,
    Restart, ///< try-restart and reload-or-restart too
    Other
};

class OwnUnit
{
public:
    /// Each question opens a connection of its own and takes at most @p patience, everything
    /// included.
    explicit OwnUnit(std::chrono::milliseconds patience = std::chrono::milliseconds(500))
        : m_patience(patience)
    {
    }

    /// The error says why it cannot be known, as without a bus.
    [[nodiscard]] Result<UnitJob> job() const;
    /// How many descriptors the store holds (NFileDescriptorStore); see DescriptorStore.
    [[nodiscard]] Result<unsigned> keptDescriptors() const;

private:
    std::chrono::milliseconds m_patience;
};

} // namespace dtlsd
