// SPDX-License-Identifier: Apache-2.0
#include "config/IniDocument.h"

#include "config/IniValue.h"
#include "config/Lines.h"

#include <QHash>
#include <QStringDecoder>

#include <algorithm>

namespace dtlsd {

namespace {

bool isControl(QChar c)
{
    return c.category() == QChar::Other_Control && c != u'\t';
}

/// Why the line @p bytes is not text; empty = it is.
QString textProblem(QByteArrayView bytes, const QString &decoded, bool invalid)
{
    if (invalid)
        return QStringLiteral("the line is not valid UTF-8; UTF-8 is accepted");
    if (bytes.contains(byteOrderMark))
        return QStringLiteral(
            "the line has a byte order mark inside; one at the start of the file is "
            "accepted");
    const auto control = std::find_if(decoded.begin(), decoded.end(), isControl);
    if (control != decoded.end())
        return QStringLiteral(
                   "the line has the control character 0x%1; printable text and tabs are "
                   "accepted")
            .arg(quint16{control->unicode()}, 2, 16, QChar(u'0'));
    return {};
}

/// Why @p name cannot name a section; empty = it can.
QString sectionNameProblem(QStringView name)
{
    const bool isIdentity = name.startsWith(u"identity ");
    const QStringView own = isIdentity ? name.sliced(9) : name;
    if (own.trimmed().isEmpty())
        return QStringLiteral(
            "the section has no name; [section] and [identity NAME] are accepted");
    if (!isIdentity)
        return {};
    if (own.startsWith(u'"') && own != u"\"\"")
        return QStringLiteral("the identity begins with a double quote; [identity NAME] without "
                              "quotes is accepted, and [identity \"\"] for the empty one");
    if (isBlank(own.front()) || isBlank(own.back()))
        return QStringLiteral("the identity begins or ends with a blank; one without is accepted, "
                              "and any in the file that [psk] file names");
    return {};
}

bool isKeyCharacter(QChar c)
{
    return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || (c >= u'0' && c <= u'9') ||
           c == u'_' || c == u'-' || c == u'.';
}

} // namespace

/// Parses in one pass, and continues after each problem.
class IniParser
{
public:
    IniDocument parse(QByteArrayView text);

private:
    void parseLine(QByteArrayView bytes);
    void parseSection(QStringView line);
    void parseEntry(QStringView line);
    void openSection(const QString &name);
    void addEntry(IniDocument::Entry entry);
    void problem(const QString &text, const QString &key = {});
    [[nodiscard]] IniDocument::Section *current();

    IniDocument m_document;
    QHash<QString, qsizetype> m_indexOf; // section name -> index
    QHash<QString, int> m_keyLines;      // section LF key -> line
    qsizetype m_current = -1;
    bool m_headerBroken = false; // the entries that follow have no section
    int m_line = 0;
};

IniDocument IniParser::parse(QByteArrayView text)
{
    const Result<QByteArrayView> content = withoutByteOrderMark(text);
    if (!content) {
        m_line = 1;
        problem(QStringLiteral("the file ") + content.error().message);
        return std::move(m_document);
    }
    forEachLine(content.value(), [this](QByteArrayView line, int number) {
        m_line = number;
        parseLine(line);
        return true;
    });
    return std::move(m_document);
}

void IniParser::parseLine(QByteArrayView bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    const QString decoded = decoder(bytes);
    const QStringView line = trimBlanks(decoded);
    if (const QString wrong = textProblem(bytes, decoded, decoder.hasError()); !wrong.isEmpty()) {
        m_headerBroken = m_headerBroken || line.startsWith(u'[');
        return problem(wrong);
    }
    if (line.isEmpty() || line.startsWith(u';') || line.startsWith(u'#'))
        return;
    if (line.startsWith(u'['))
        parseSection(line);
    else
        parseEntry(line);
}

void IniParser::parseSection(QStringView line)
{
    m_headerBroken = true; // until proved otherwise
    const qsizetype end = line.indexOf(u']');
    if (end < 0)
        return problem(QStringLiteral("the [ has no ]; [section] is accepted"));
    const QStringView rest = trimBlanks(line.sliced(end + 1));
    if (rest.endsWith(u']') && !rest.startsWith(u';'))
        return problem(QStringLiteral("the section's name has a ]; an identity with ] is accepted "
                                      "in the file that [psk] file names"));
    if (!rest.isEmpty() && !rest.startsWith(u';'))
        return problem(QStringLiteral("there is text after the ]; a comment that begins with ; is "
                                      "accepted"));
    const QStringView name = line.sliced(1, end - 1);
    if (const QString wrong = sectionNameProblem(name); !wrong.isEmpty())
        return problem(wrong);
    m_headerBroken = false;
    openSection(name.toString());
}

void IniParser::openSection(const QString &name)
{
    const auto known = m_indexOf.constFind(name);
    if (known == m_indexOf.cend()) {
        m_current = m_document.m_sections.size();
        m_indexOf.insert(name, m_current);
        m_document.m_sections.append({name, m_line, {}});
        return;
    }
    // Its entries are added to the first section of that name.
    m_current = *known;
    problem(QStringLiteral("the section is already in line %1; each section is accepted once")
                .arg(current()->line));
}

void IniParser::parseEntry(QStringView line)
{
    const qsizetype equals = line.indexOf(u'=');
    if (equals < 0)
        return problem(QStringLiteral("there is no =; key = value, [section] and comments that "
                                      "begin with ; or # are accepted"));
    const QStringView key = trimBlanks(line.first(equals));
    // The text is not shown: it may be a secret in the wrong place.
    if (key.isEmpty() || !std::all_of(key.begin(), key.end(), isKeyCharacter))
        return problem(
            QStringLiteral("what stands before the = is not a key; letters, digits and _ "
                           "are accepted"));
    if (m_current < 0 && !m_headerBroken)
        return problem(QStringLiteral("the entry stands before any section; [section] is accepted "
                                      "first"));
    const Result<QString> value = parseIniValue(line.sliced(equals + 1));
    if (!value)
        return problem(value.error().message, key.toString());
    addEntry({key.toString(), value.value(), m_line});
}

void IniParser::addEntry(IniDocument::Entry entry)
{
    if (m_headerBroken)
        return;
    const QString path = current()->name + u'\n' + entry.key;
    if (const int first = m_keyLines.value(path); first != 0)
        return problem(
            QStringLiteral("is already in line %1; each key is accepted once").arg(first),
            entry.key);
    m_keyLines.insert(path, m_line);
    current()->entries.append(std::move(entry));
}

IniDocument::Section *IniParser::current()
{
    const bool inside = m_current >= 0 && !m_headerBroken;
    return inside ? &m_document.m_sections[m_current] : nullptr;
}

void IniParser::problem(const QString &text, const QString &key)
{
    const IniDocument::Section *section = current();
    m_document.m_problems.append({m_line, section ? section->name : QString(), key, text});
}

IniDocument IniDocument::parse(QByteArrayView text)
{
    return IniParser().parse(text);
}

const IniDocument::Entry *IniDocument::find(QStringView section, QStringView key) const
{
    for (const Section &candidate : m_sections) {
        if (candidate.name != section)
            continue;
        const auto entry = std::find_if(candidate.entries.begin(), candidate.entries.end(),
                                        [key](const Entry &e) { return e.key == key; });
        return entry == candidate.entries.end() ? nullptr : &*entry;
    }
    return nullptr;
}

} // namespace dtlsd
