// SPDX-License-Identifier: Apache-2.0
//
// Sink: where log records end. Used by the log thread alone; it may block there.
#pragma once

#include "log/LogRecord.h"

namespace dtlsd {

class Sink
{
public:
    Sink() = default;
    Sink(const Sink &) = delete;
    Sink &operator=(const Sink &) = delete;
    virtual ~Sink() = default;

    /// true: the sink has taken the record, and a receipt may be given for it. false: it is lost.
    [[nodiscard]] virtual bool write(const LogRecord &record) = 0;
};

} // namespace dtlsd
