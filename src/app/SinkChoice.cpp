// SPDX-License-Identifier: Apache-2.0
#include "app/SinkChoice.h"

#include "log/JournalSink.h"

namespace dtlsd {

namespace {

SinkKind kindOf(LogTarget target, const Surroundings &surroundings)
{
    switch (target) {
    case LogTarget::Journal:
        return SinkKind::Journal;
    case LogTarget::Json:
        return SinkKind::Json;
    case LogTarget::Text:
        return SinkKind::Text;
    case LogTarget::Auto:
        break;
    }
    return automaticSinkKind(surroundings);
}

} // namespace

SinkChoice SinkChoice::of(LogTarget target, const Surroundings &surroundings)
{
    SinkChoice choice{kindOf(target, surroundings), {}};
    const QString noJournal = QStringLiteral("[log] target: there is no journal at %1; ")
                                  .arg(QLatin1String(JournalSink::defaultSocket));
    if (target == LogTarget::Auto && surroundings.errorIsJournal && !surroundings.journalIsThere)
        choice.warning = noJournal + QStringLiteral("lines on standard output take its place until "
                                                    "the next start");
    else if (choice.kind == SinkKind::Journal && !surroundings.journalIsThere)
        choice.warning = noJournal + QStringLiteral("until there is one, entries are lost and "
                                                    "datagrams get no receipt");
    return choice;
}

Result<> checkOutput(LogTarget target, const Surroundings &surroundings)
{
    if (kindOf(target, surroundings) == SinkKind::Journal || surroundings.outputIsWritable)
        return success();
    return Error{
        QStringLiteral("[log] target: the log would go to standard output, which is closed "
                       "or not open for writing; one that is, or target = journal, is "
                       "accepted")};
}

} // namespace dtlsd
