// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/KeyCommands.h"

#include "config/PskFile.h"
#include "config/RegularFile.h"
#include "core/Console.h"
#include "core/Quantity.h"
#include "core/Random.h"
#include "tools/dtlsctl/KeyNew.h"
#include "tools/dtlsctl/StandardInput.h"
#include "tools/dtlsctl/Terminal.h"

#include <QFile>

#include <cstdio>

#include <sys/stat.h>

namespace dtlsd {

namespace {

Result<QByteArray> readInput()
{
    Result<QByteArray> content = readStandardInput(keyFileLimit + 1);
    if (content && content.value().size() > keyFileLimit)
        return Error{QStringLiteral("is larger than %1; up to %1 are accepted")
                         .arg(formatByteSize(keyFileLimit))};
    return content;
}

void say(const QList<ConfigMessage> &messages)
{
    for (const ConfigMessage &message : messages)
        dtlsd::say(stderr, message.toString() + u'\n');
}

Result<QByteArray> readFile(const QString &path, const QString &shown)
{
    Result<RegularFile> file = RegularFile::read(path, keyFileLimit);
    if (!file)
        return file.error();
    if ((file.value().mode & (S_IROTH | S_IWOTH)) != 0)
        say({{shown, 0,
              QStringLiteral("others can read or change it (mode %1); whoever did knows its keys, "
                             "so that new ones are better")
                  .arg(file.value().mode, 4, 8, QChar(u'0'))}});
    return std::move(file).value().content;
}

} // namespace

std::optional<Failure> printNewKey(const QByteArray &name)
{
    const Result<QByteArray> text = newIdentity(name, PskKey(randomSecret()));
    if (!text)
        return Failure{text.error().message, EX_USAGE};
    return print(text.value());
}

std::optional<Failure> printImportedKeys(KeyFormat format, const QByteArray &file)
{
    const bool isStandardInput = file == "-";
    const QString path = QFile::decodeName(file);
    const QString shown = isStandardInput ? QStringLiteral("standard input") : shownPath(path);
    const Result<QByteArray> content = isStandardInput ? readInput() : readFile(path, shown);
    if (!content)
        return Failure{QStringLiteral("%1: %2").arg(shown, content.error().message), EX_NOINPUT};
    const ImportedKeys keys = importKeys(format, shown, content.value());
    say(keys.errors);
    if (!keys.errors.isEmpty())
        return Failure{{}, EX_DATAERR};
    say(keys.warnings);
    return print(keys.lines);
}

} // namespace dtlsd
