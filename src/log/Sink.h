// SPDX-License-Identifier: Apache-2.0
//
// Sink: the destination of log records. Used by the log thread alone, which it may block.
//
// The fate of a record may be known only some time after write(). So settle() tells it separately,
// always in the order of the writes.
#pragma once

#include "log/LogRecord.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dtlsd {

/// What became of a record.
enum class Fate : std::uint8_t {
    Kept,      ///< a receipt may be given for it
    Lost,      ///< it is not in the log
    Unverified ///< it may be in the log, but could not be read back in time
};

class Sink
{
public:
    virtual ~Sink() = default;

    /// Writes @p record; settle() tells its fate.
    virtual void write(const LogRecord &record) = 0;

    /// Appends the fates that are known by now, in the order in which the records were written.
    /// Every record gets one fate, once.
    virtual void settle(std::vector<Fate> &fates) = 0;

    /// Why records cannot be read back at present. Empty: they can, or this sink does not check.
    /// While there is an obstacle, settle() has to be called now and then even if every record is
    /// settled, so that the sink notices its end.
    [[nodiscard]] virtual std::string obstacle() const { return {}; }

    /// Why the most recent lost record was lost.
    [[nodiscard]] virtual std::string lossReason() const = 0;
};

} // namespace dtlsd
