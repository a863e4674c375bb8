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

/// What `auto` depends on.
struct StandardStreams
{
    bool errorIsJournal = false;
    bool outputIsTerminal = false;

    /// Those of this process.
    static StandardStreams current();
};

/// What `auto` means: the journal for a service; text for a person; JSON for everything else, such
/// as a container's runtime.
SinkKind automaticSinkKind(const StandardStreams &streams);

/// The journal, or a sink that writes to standard output; text in colour on a terminal, unless
/// $NO_COLOR is set (no-color.org).
std::unique_ptr<Sink> makeSink(SinkKind kind);

} // namespace dtlsd
