// SPDX-License-Identifier: Apache-2.0
#include "log/SinkKind.h"

#include "log/JournalSink.h"
#include "log/JsonSink.h"
#include "log/TextSink.h"

#include <QByteArray>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd {

bool isJournalStream(int fd, const char *journalStream)
{
    struct stat status = {};
    if (journalStream == nullptr || fstat(fd, &status) != 0)
        return false;
    // Compared as systemd writes it, so that there is nothing to parse.
    return QByteArray(journalStream) == QByteArray::number(quint64{status.st_dev}) + ':' +
                                            QByteArray::number(quint64{status.st_ino});
}

bool isWritable(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

Surroundings Surroundings::current()
{
    const QByteArray journalStream = qgetenv("JOURNAL_STREAM");
    return {.errorIsJournal = isJournalStream(STDERR_FILENO, journalStream.constData()),
            .journalIsThere = JournalSink::isThere(),
            .outputIsTerminal = isatty(STDOUT_FILENO) == 1,
            .outputIsWritable = isWritable(STDOUT_FILENO)};
}

SinkKind automaticSinkKind(const Surroundings &surroundings)
{
    if (surroundings.errorIsJournal && surroundings.journalIsThere)
        return SinkKind::Journal;
    return surroundings.outputIsTerminal ? SinkKind::Text : SinkKind::Json;
}

std::unique_ptr<Sink> makeSink(SinkKind kind)
{
    switch (kind) {
    case SinkKind::Journal:
        return std::make_unique<JournalSink>();
    case SinkKind::Json:
        return std::make_unique<JsonSink>(STDOUT_FILENO);
    case SinkKind::Text:
        break;
    }
    const bool inColour = isatty(STDOUT_FILENO) == 1 && qEnvironmentVariableIsEmpty("NO_COLOR");
    return std::make_unique<TextSink>(STDOUT_FILENO, inColour ? Colour::ByEvent : Colour::Never);
}

} // namespace dtlsd
