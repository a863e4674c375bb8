// SPDX-License-Identifier: Apache-2.0
//
// Sink: where log records end. Used by the log thread alone; it may block there.
//
// What becomes of a record may be known only some time after it was written. So the answer comes
// apart from the question, but always in the order of the questions.
#pragma once

#include "log/LogRecord.h"

#include <vector>

namespace dtlsd {

class Sink
{
public:
    Sink() = default;
    Sink(const Sink &) = delete;
    Sink &operator=(const Sink &) = delete;
    virtual ~Sink() = default;

    /// Hands @p record on.
    virtual void write(const LogRecord &record) = 0;

    /// Appends what became of records that were written, as far as it is known by now, in the order
    /// in which they were written. true: it is kept, and a receipt may be given for it. false: it
    /// is lost. Every record is in one answer, once.
    virtual void settle(std::vector<bool> &outcomes) = 0;
};

} // namespace dtlsd
