// SPDX-License-Identifier: Apache-2.0
#include "log/SinkChoice.h"

#include "log/JournalSink.h"
#include "log/JsonSink.h"
#include "log/TextSink.h"

#include <QByteArray>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd {

namespace {

bool isWritable(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

LogTarget resolved(LogTarget target, const Surroundings &surroundings)
{
    if (target != LogTarget::Auto)
        return target;
    if (surroundings.errorIsJournal && surroundings.journalIsThere)
        return LogTarget::Journal;
    return surroundings.outputIsTerminal ? LogTarget::Text : LogTarget::Json;
}

} // namespace

bool isJournalStream(int fd, const char *journalStream)
{
    struct stat status = {};
    if (journalStream == nullptr || fstat(fd, &status) != 0)
        return false;
    // Compared in the form that systemd writes, so nothing has to be parsed.
    return QByteArray(journalStream) == QByteArray::number(quint64{status.st_dev}) + ':' +
                                            QByteArray::number(quint64{status.st_ino});
}

Surroundings Surroundings::current()
{
    const QByteArray journalStream = qgetenv("JOURNAL_STREAM");
    return {.errorIsJournal = isJournalStream(STDERR_FILENO, journalStream.constData()),
            .journalIsThere = JournalSink::isThere(),
            .outputIsTerminal = isatty(STDOUT_FILENO) == 1,
            .outputIsWritable = isWritable(STDOUT_FILENO)};
}

SinkChoice SinkChoice::of(LogTarget target, const Surroundings &surroundings)
{
    SinkChoice choice{resolved(target, surroundings), {}};
    const QString noJournal = QStringLiteral("[log] target: there is no journal at %1; ")
                                  .arg(QLatin1String(JournalSink::defaultSocket));
    if (target == LogTarget::Auto && surroundings.errorIsJournal && !surroundings.journalIsThere)
        choice.warning = noJournal + QStringLiteral("lines on standard output take its place until "
                                                    "the next start");
    else if (choice.target == LogTarget::Journal && !surroundings.journalIsThere)
        choice.warning = noJournal + QStringLiteral("until there is one, entries are lost and "
                                                    "datagrams get no receipt");
    return choice;
}

Result<> checkOutput(LogTarget target, const Surroundings &surroundings)
{
    if (resolved(target, surroundings) == LogTarget::Journal || surroundings.outputIsWritable)
        return success();
    return Error{
        QStringLiteral("[log] target: the log would go to standard output, which is closed "
                       "or not open for writing; one that is, or target = journal, is "
                       "accepted")};
}

std::unique_ptr<Sink> makeSink(const SinkChoice &choice)
{
    switch (choice.target) {
    case LogTarget::Journal:
        return std::make_unique<JournalSink>();
    case LogTarget::Json:
        return std::make_unique<JsonSink>(STDOUT_FILENO);
    case LogTarget::Auto:
    case LogTarget::Text:
        break;
    }
    const bool inColour = isatty(STDOUT_FILENO) == 1 && qEnvironmentVariableIsEmpty("NO_COLOR");
    return std::make_unique<TextSink>(STDOUT_FILENO, inColour ? Colour::ByEvent : Colour::Never);
}

} // namespace dtlsd
