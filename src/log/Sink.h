// SPDX-License-Identifier: Apache-2.0
//
// Sink: where log records end. Used by the log thread alone; it may block there.
//
// What becomes of a record may be known only some time after it was written. So the answer comes
// apart from the question, but always in the order of the questions.
#pragma once

#include "log/LogRecord.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dtlsd {

/// What became of a record.
enum class Fate : std::uint8_t {
    Kept,      ///< a receipt may be given for it
    Lost,      ///< it is not there
    Unverified ///< it may be there, but that could not be read back in time
};

class Sink
{
public:
    virtual ~Sink() = default;

    /// Hands @p record on.
    virtual void write(const LogRecord &record) = 0;

    /// Appends what became of records that were written, as far as it is known by now, in the order
    /// in which they were written. Every record is in one answer, once.
    virtual void settle(std::vector<Fate> &fates) = 0;

    /// Why records cannot be read back at present. Empty: they can, or this sink does not look.
    /// Meanwhile settle() has to be called now and then, even if every record is settled, so that
    /// the sink notices the end of it.
    [[nodiscard]] virtual std::string obstacle() const { return {}; }

    /// Why the last record that was lost was lost.
    [[nodiscard]] virtual std::string lossReason() const = 0;
};

} // namespace dtlsd
