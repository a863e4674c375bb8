// SPDX-License-Identifier: Apache-2.0
//
// SinkChoice: where the log goes, and what the operator has to know about that.
#pragma once

#include "core/Result.h"
#include "log/LogOptions.h"
#include "log/Sink.h"

#include <QString>

#include <memory>

namespace dtlsd {

/// Whether @p fd is the stream that @p journalStream, the value of $JOURNAL_STREAM or nullptr,
/// names as `device:inode` (systemd.exec(5)). Its mere existence proves nothing: it is inherited by
/// whatever a service starts with other streams.
bool isJournalStream(int fd, const char *journalStream);

/// What `auto` depends on, and whether there is an output for lines.
struct Surroundings
{
    bool errorIsJournal = false;
    bool journalIsThere = false;
    bool outputIsTerminal = false;
    bool outputIsWritable = true; ///< open for writing; what is said there may still be lost

    /// Those of this process.
    static Surroundings current();
};

struct SinkChoice
{
    LogTarget target = LogTarget::Text; ///< never Auto
    QString warning;                    ///< to be logged; empty if all is as one would expect

    /// Of a process with these @p surroundings. `auto` means the journal for a service, if there is
    /// one; text for a person; JSON for everything else, such as a container's runtime.
    static SinkChoice of(LogTarget target, const Surroundings &surroundings);
};

/// An error, without a place, if the log of a process with these @p surroundings would go to
/// standard output, and that is closed, or open for reading alone.
Result<> checkOutput(LogTarget target, const Surroundings &surroundings);

/// The journal, or a sink that writes to standard output; text in colour on a terminal, unless
/// $NO_COLOR is set (no-color.org).
std::unique_ptr<Sink> makeSink(const SinkChoice &choice);

} // namespace dtlsd
