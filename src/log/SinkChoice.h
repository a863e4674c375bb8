// SPDX-License-Identifier: Apache-2.0
//
// SinkChoice: where the log goes, and the warning for the operator, if there is one.
#pragma once

#include "core/Result.h"
#include "log/LogOptions.h"
#include "log/Sink.h"

#include <QString>

#include <memory>

namespace dtlsd {

/// Whether @p fd is the stream that @p journalStream, the value of $JOURNAL_STREAM or nullptr,
/// names as `device:inode` (systemd.exec(5)). That the variable is set proves nothing: programs
/// that a service starts with other streams inherit it.
bool isJournalStream(int fd, const char *journalStream);

/// What `auto` depends on, and whether lines can be written to standard output.
struct Surroundings
{
    bool errorIsJournal = false;
    bool journalIsThere = false;
    bool outputIsTerminal = false;
    bool outputIsWritable = true; ///< open for writing; lines may still be lost

    /// The surroundings of this process.
    static Surroundings current();
};

struct SinkChoice
{
    LogTarget target = LogTarget::Text; ///< never Auto
    QString warning;                    ///< to be logged; empty: none

    /// For a process with these @p surroundings. `auto` means the journal for a service, if there
    /// is a journal; text on a terminal; JSON otherwise, as for a container runtime.
    static SinkChoice of(LogTarget target, const Surroundings &surroundings);
};

/// An error, without file and line, if the log of a process with these @p surroundings would go to
/// a standard output that is closed or read-only.
Result<> checkOutput(LogTarget target, const Surroundings &surroundings);

/// A sink for the journal or standard output; text is in colour on a terminal, unless $NO_COLOR is
/// set (no-color.org).
std::unique_ptr<Sink> makeSink(const SinkChoice &choice);

} // namespace dtlsd
