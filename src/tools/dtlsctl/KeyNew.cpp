// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/KeyNew.h"

#include "config/IdentitySections.h"
#include "config/IniDocument.h"
#include "config/PskFile.h"

namespace dtlsd {

namespace {

/// Why @p section does not read back as exactly the identity @p name; empty = it does.
QString sectionProblem(const QByteArray &section, const QByteArray &name)
{
    if (name == "*")
        return QStringLiteral("[identity *] is for every identity that is not listed");
    const IniDocument document = IniDocument::parse(section);
    if (!document.problems().isEmpty())
        return document.problems().constFirst().text;
    const auto &sections = document.sections();
    const bool isThatOne = sections.size() == 1 && sections[0].entries.size() == 1 &&
                           IdentitySections::isOne(sections[0]) &&
                           identityOf(sections[0].name) == name;
    return isThatOne ? QString() : QStringLiteral("dtlsd.ini would read another name");
}

/// The first half of `what is wrong; what is accepted`.
QString wrong(const QString &problem)
{
    const qsizetype end = problem.lastIndexOf(u"; ");
    return end < 0 ? problem : problem.first(end);
}

} // namespace

Result<QByteArray> newIdentity(const QByteArray &name, const PskKey &key)
{
    const QByteArray written = name.isEmpty() ? QByteArray("\"\"") : name;
    const QByteArray section =
        "[identity " + written + "]\nkey = hex:" + key.bytes().toHex() + '\n';
    const QString noSection = sectionProblem(section, name);
    if (noSection.isEmpty())
        return section;
    const QString noLine = keyLineProblem(name);
    if (noLine.isEmpty())
        return "# For the file that [psk] file names, not for dtlsd.ini: " +
               wrong(noSection).toUtf8() + ".\n" + keyLine(name, key);
    return Error{
        QStringLiteral("this identity can stand neither in dtlsd.ini (%1) nor in a key "
                       "file (%2); printable text without a ], a double quote at its front "
                       "and blanks at its ends is accepted in the one, anything without a "
                       "colon, a line feed or a # at its front in the other")
            .arg(wrong(noSection), wrong(noLine))};
}

} // namespace dtlsd
