// SPDX-License-Identifier: Apache-2.0
//
// SinkKind: which sinks there are, and which of them fits how the process was started.
#pragma once

#include "log/Sink.h"

#include <memory>

namespace dtlsd {

enum class SinkKind { Journal, Json, Text };

/// Whether @p fd is the stream that @p journalStream, the value of $JOURNAL_STREAM or nullptr,
/// names as `device:inode` (systemd.exec(5)). Its mere existence proves nothing: it is inherited by
/// whatever a service starts with other streams.
bool isJournalStream(int fd, const char *journalStream);

/// Whether @p fd is open for writing.
bool isWritable(int fd);

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

/// What `auto` means: the journal for a service, if there is one; text for a person; JSON for
/// everything else, such as a container's runtime.
SinkKind automaticSinkKind(const Surroundings &surroundings);

/// The journal, or a sink that writes to standard output; text in colour on a terminal, unless
/// $NO_COLOR is set (no-color.org).
std::unique_ptr<Sink> makeSink(SinkKind kind);

} // namespace dtlsd
