// SPDX-License-Identifier: Apache-2.0
//
// SinkChoice: where the log goes, and what the operator has to know about that.
#pragma once

#include "config/Config.h"
#include "core/Result.h"
#include "log/SinkKind.h"

#include <QString>

namespace dtlsd {

struct SinkChoice
{
    SinkKind kind = SinkKind::Text;
    QString warning; ///< to be logged; empty if all is as one would expect

    /// Of a process with these @p surroundings.
    static SinkChoice of(LogTarget target, const Surroundings &surroundings);
};

/// An error, without a place, if the log of a process with these @p surroundings would go to
/// standard output, and that is closed, or open for reading alone.
Result<> checkOutput(LogTarget target, const Surroundings &surroundings);

} // namespace dtlsd
