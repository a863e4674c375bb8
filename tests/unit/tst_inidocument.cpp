// SPDX-License-Identifier: Apache-2.0
//
// IniDocument against its grammar, and against QSettings: what we accept, both read the same.
#include "config/ConfigSchema.h"
#include "config/IniDocument.h"
#include "config/IniValue.h"

#include <QFile>
#include <QMap>
#include <QRandomGenerator>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

/// "section/key" -> value, the parts of a list joined in one way.
using Values = QMap<QString, QString>;

QString joinedParts(const QStringList &parts)
{
    QStringList trimmed;
    for (const QString &part : parts)
        trimmed += trimBlanks(part).toString();
    return QStringLiteral("list: ") + trimmed.join(u',');
}

Values valuesOf(const IniDocument &document)
{
    Values values;
    for (const auto &section : document.sections()) {
        for (const auto &entry : section.entries) {
            const bool isList = !entry.quoted && entry.value.contains(u',');
            values[section.name + u'/' + entry.key] =
                isList ? joinedParts(entry.value.split(u',')) : entry.value;
        }
    }
    return values;
}

/// To QSettings `# a = b` is an entry with the key `# a`; nobody asks for that.
bool isHashComment(const QString &key, const IniDocument &document)
{
    for (const auto &section : document.sections()) {
        if (key.startsWith(section.name + u"/#"_s))
            return true;
    }
    return key.trimmed().startsWith(u'#'); // a blank stays after a byte order mark
}

/// A byte order mark, and a `#` comment without an equals sign, make QSettings report a
/// FormatError and read on.
bool seemsMalformed(const QByteArray &text)
{
    if (text.startsWith("\xef\xbb\xbf"))
        return true;
    const QByteArrayList lines = text.split('\n');
    return std::any_of(lines.begin(), lines.end(),
                       [](const QByteArray &line) { return line.trimmed().startsWith('#'); });
}

Values valuesOf(const QSettings &settings, const IniDocument &document)
{
    Values values;
    for (const QString &key : settings.allKeys()) {
        if (isHashComment(key, document))
            continue;
        const QVariant value = settings.value(key);
        values[key] = value.metaType() == QMetaType::fromType<QStringList>()
                          ? joinedParts(value.toStringList())
                          : value.toString();
    }
    return values;
}

/// Whether a document passes our grammar and has only sections that the schema knows; QSettings
/// gives `[general]` a meaning of its own.
bool isAccepted(const IniDocument &document)
{
    const QStringList known = sectionNames();
    for (const auto &section : document.sections()) {
        if (!known.contains(section.name) && !section.name.startsWith(u"identity "))
            return false;
    }
    return document.problems().isEmpty();
}

/// Documents of lines that are often right, and of characters that INI readers disagree about.
class RandomDocument
{
public:
    explicit RandomDocument(quint32 seed)
        : m_random(seed)
    {
    }

    QByteArray next()
    {
        m_wildness = below(3) == 0 ? 4 : 60;
        QByteArray text = below(20) == 0 ? "\xef\xbb\xbf" : "";
        if (below(10) != 0)
            text += sectionLine() + lineEnd();
        for (int lines = below(10); lines >= 0; --lines)
            text += line() + lineEnd();
        if (below(4) == 0)
            text.chop(1);
        return text;
    }

private:
    int below(int limit) { return m_random.bounded(limit); }

    QByteArray lineEnd() { return below(6) == 0 ? "\r\n" : "\n"; }
    QByteArray blanks() { return QByteArrayList{"", " ", " ", "\t", "  "}[below(5)]; }

    /// Mostly harmless; every m_wildness-th is not.
    QByteArray character()
    {
        static const QByteArrayList special{
            ";",  " ;", "\"", "\\", "#", " #", "@",    ",",    "%41",          "%",
            "/",  "//", "[",  "]",  "=", "\r", "\x01", "\x7f", "\xef\xbb\xbf", "\xff",
            "\\", "\"", "\t", "'",  "&", "\0", "\\n",  "\\x41"};
        static const QByteArrayList plain{"a",
                                          "b",
                                          "Z",
                                          "7",
                                          "0",
                                          "_",
                                          "-",
                                          ".",
                                          ":",
                                          " ",
                                          "(",
                                          ")",
                                          "!",
                                          "\xc3\xbc",
                                          "\xe2\x82\xac",
                                          "\xf0\x9f\x98\x80",
                                          "=",
                                          "\xc2\xa0",
                                          "\xe2\x80\xa8",
                                          "/",
                                          "+"};
        if (below(m_wildness) == 0)
            return special[below(static_cast<int>(special.size()))];
        return plain[below(static_cast<int>(plain.size()))];
    }

    QByteArray characters(int limit)
    {
        QByteArray text;
        for (int count = below(limit); count > 0; --count)
            text += character();
        return text;
    }

    QByteArray sectionLine()
    {
        static const QByteArrayList names{"server", "tls", "limits", "log", "psk", "control"};
        const QByteArray name = below(2) == 0 ? names[below(static_cast<int>(names.size()))]
                                              : "identity x" + characters(12) + "y";
        return blanks() + '[' + name + ']' + (below(5) == 0 ? ";" + characters(8) : blanks());
    }

    QByteArray value()
    {
        switch (below(5)) {
        case 0:
            return '"' + characters(16).replace('"', "\\\"") + '"';
        case 1:
            return characters(6) + "," + blanks() + characters(6);
        default:
            return characters(16);
        }
    }

    QByteArray entryLine()
    {
        static const QByteArrayList names{"listen", "reply", "key", "a",       "b-c",
                                          "d.e",    "F",     "g1",  "ciphers", "mtu"};
        return blanks() + names[below(static_cast<int>(names.size()))] + blanks() + '=' + blanks() +
               value() + (below(4) == 0 ? " ;" + characters(10) : blanks());
    }

    QByteArray line()
    {
        switch (below(12)) {
        case 0:
            return blanks();
        case 1:
            return blanks() + ';' + characters(20);
        case 2:
            return blanks() + '#' + characters(20);
        case 3:
        case 4:
            return sectionLine();
        case 5:
            return below(10) == 0 ? characters(20) : blanks();
        default:
            return entryLine();
        }
    }

    QRandomGenerator m_random;
    int m_wildness = 60;
};

} // namespace

class tst_IniDocument : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(m_folder.isValid()); }
    void valueIsRead_data();
    void valueIsRead();
    void writtenValueIsReadBack_data();
    void writtenValueIsReadBack();
    void linesAreCounted();
    void problemsAreFoundTogether();
    void qsettingsReadsTheSame_data();
    void qsettingsReadsTheSame();
    void qsettingsReadsRandomDocumentsTheSame();
    void qsettingsReadsMutatedDocumentsTheSame();

private:
    /// Empty, or how the two differ.
    QString disagreement(const QByteArray &text, const IniDocument &document);

    QTemporaryDir m_folder;
    int m_files = 0;
};

QString tst_IniDocument::disagreement(const QByteArray &text, const IniDocument &document)
{
    // A file of its own each time: QSettings may answer from its cache of an earlier one.
    const QString path = m_folder.filePath(QString::number(m_files++));
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        return QStringLiteral("cannot write ") + path;
    file.close();
    const QSettings settings(path, QSettings::IniFormat);
    const Values ours = valuesOf(document);
    const Values theirs = valuesOf(settings, document);
    file.remove();
    const bool clean = settings.status() == QSettings::NoError || seemsMalformed(text);
    if (ours == theirs && clean)
        return {};
    QString report;
    QDebug(&report) << "status" << settings.status() << "ours" << ours << "theirs" << theirs
                    << "text" << text;
    return report;
}

void tst_IniDocument::valueIsRead_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QString>("value");
    const auto row = [](const char *name, const QByteArray &line, const QString &value) {
        QTest::newRow(name) << line << value;
    };
    row("a plain value", "key = value", u"value"_s);
    row("blanks around the equals sign are optional", "key=value", u"value"_s);
    row("blanks and tabs around a value do not belong to it", "key =\t value \t", u"value"_s);
    row("blanks inside a value do", "key = a  b\tc", u"a  b\tc"_s);
    row("nothing is a value", "key =", QString());
    row("nothing before a comment is a value", "key = ; why", QString());
    row("only the first equals sign divides", "key = base64:AA==", u"base64:AA=="_s);
    row("a semicolon after a blank begins a comment", "key = value ; why \"", u"value"_s);
    row("a comment may follow the closing quote at once", "key = \"value\";why", u"value"_s);
    row("quotes keep blanks", "key = \" value \"", u" value "_s);
    row("quotes keep a semicolon", "key = \"a ; b\"", u"a ; b"_s);
    row("quotes keep a hash sign", "key = \"a # b\"", u"a # b"_s);
    row("a quote in quotes is escaped", "key = \"say \\\"hi\\\"\"", u"say \"hi\""_s);
    row("a backslash in quotes is escaped", "key = \"C:\\\\temp\"", u"C:\\temp"_s);
    row("empty quotes are nothing", "key = \"\"", QString());
    row("a hash sign inside a word is kept", "key = a#b", u"a#b"_s);
    row("UTF-8 is kept", "key = gr\xc3\xbc\xc3\x9f dich", u"grüß dich"_s);
    row("brackets are kept", "key = [::]:22334", u"[::]:22334"_s);
    row("CRLF ends a line", "key = value\r", u"value"_s);
}

void tst_IniDocument::valueIsRead()
{
    QFETCH(QByteArray, line);
    QFETCH(QString, value);
    const QByteArray text = "[section]\n" + line + "\n";
    const IniDocument document = IniDocument::parse(text);
    QCOMPARE(document.problems().size(), 0);
    QVERIFY(document.find(u"section", u"key") != nullptr);
    QCOMPARE(document.find(u"section", u"key")->value, value);
    QCOMPARE(disagreement(text, document), QString());
}

void tst_IniDocument::writtenValueIsReadBack_data()
{
    QTest::addColumn<QString>("value");
    for (const char *value : {"", "plain", " blanks ", "a;b", "a ; b", "a,b", "\"", "\\", "a\\\"b",
                              "# hash", "a # hash", "a#b", "tab\t", "\"whole\"", "[x]", "a=b"})
        QTest::newRow(value) << QString::fromLatin1(value);
}

void tst_IniDocument::writtenValueIsReadBack()
{
    QFETCH(QString, value);
    const QByteArray text = "[s]\nkey = " + IniDocument::written(value).toUtf8() + "\n";
    const IniDocument document = IniDocument::parse(text);
    QCOMPARE(document.problems().size(), 0);
    QCOMPARE(document.find(u"s", u"key")->value, value);
    QCOMPARE(disagreement(text, document), QString());
}

void tst_IniDocument::linesAreCounted()
{
    const auto document =
        IniDocument::parse("\xef\xbb\xbf; one\r\n\r\n [a]\r\n# four\n\n  k = v\n[identity x y]");
    QCOMPARE(document.problems().size(), 0);
    QCOMPARE(document.sections().size(), 2);
    QCOMPARE(document.sections()[0].line, 3);
    QCOMPARE(document.sections()[0].entries[0].line, 6);
    QCOMPARE(document.sections()[1].line, 7);
    QCOMPARE(document.sections()[1].name, u"identity x y"_s);
    QCOMPARE(document.find(u"a", u"other"), nullptr);
    QCOMPARE(document.find(u"b", u"k"), nullptr);
}

void tst_IniDocument::problemsAreFoundTogether()
{
    const auto document = IniDocument::parse("k = v\n[a\nx = \"\n[b]\ny = \"\nz\n[b]\nz = 1\n");
    QList<int> lines;
    for (const auto &problem : document.problems())
        lines += problem.line;
    QCOMPARE(lines, (QList<int>{1, 2, 3, 5, 6, 7}));
    QCOMPARE(document.problems()[3].section, u"b"_s);
    QCOMPARE(document.problems()[3].key, u"y"_s);
    // A broken header's entries belong nowhere, a repeated one's to the first.
    QCOMPARE(document.problems()[2].section, QString());
    QCOMPARE(document.find(u"b", u"z")->value, u"1"_s);
}

void tst_IniDocument::qsettingsReadsTheSame_data()
{
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const char *name, const QByteArray &text) { QTest::newRow(name) << text; };
    row("a list", "[server]\nlisten = 0.0.0.0:22334, [::]:22334 ; both\n");
    row("a list with nothing in it", "[server]\nlisten = ,\n");
    row("a list in quotes", "[server]\nlisten = \"0.0.0.0:22334, [::]:22334\"\n");
    row("a hash comment with closed quotes", "[a]\n# say \"hi\" = ; \"\nk = v\n");
    row("a semicolon comment with an open quote", "[a]\n; don't say \"\nk = v\n");
    row("a semicolon comment that ends with a backslash", "[a]\n; c:\\\nk = v\n");
    row("a trailing comment with an open quote", "[a]\nk = v ; \"\nl = w\n");
    row("a comment after a section", "[a] ; \"here\nk = v\n");
    row("an identity with a slash", "[identity site/7]\nkey = hex:00\n");
    row("an identity with an equals sign", "[identity a=b]\nkey = hex:00\n");
    row("an identity with blanks, a bracket and UTF-8", "[identity t\xc3\xbcr [1 #x]\nkey = v\n");
    row("the empty identity", "[identity \"\"]\nkey = v\n[a]\nk = 1\n");
    row("two sections with the same key", "[a]\nk = 1\n[b]\nk = 2\n");
    row("CRLF and no end of the last line", "[a]\r\nk = v\r\nl = \"w\"");
}

void tst_IniDocument::qsettingsReadsTheSame()
{
    QFETCH(QByteArray, text);
    const IniDocument document = IniDocument::parse(text);
    QCOMPARE(document.problems().size(), 0);
    QCOMPARE(disagreement(text, document), QString());
}

void tst_IniDocument::qsettingsReadsRandomDocumentsTheSame()
{
    constexpr quint32 seed = 20240229;
    constexpr int count = 8000;
    RandomDocument random(seed);
    int accepted = 0;
    qsizetype entries = 0;
    for (int i = 0; i < count; ++i) {
        const QByteArray text = random.next();
        const IniDocument document = IniDocument::parse(text);
        if (!isAccepted(document))
            continue;
        ++accepted;
        entries += valuesOf(document).size();
        const QString difference = disagreement(text, document);
        QVERIFY2(difference.isEmpty(), qPrintable(difference));
    }
    qInfo("seed %u: %d of %d documents accepted, %lld entries", seed, accepted, count,
          static_cast<long long>(entries));
    QVERIFY(accepted > count / 5);
    QVERIFY(accepted < count * 9 / 10);
    QVERIFY(entries > accepted);
}

void tst_IniDocument::qsettingsReadsMutatedDocumentsTheSame()
{
    constexpr quint32 seed = 7919;
    constexpr int count = 4000;
    constexpr QByteArrayView odd("\";\\#@[]=%,/ \t\r\n\x01\xff");
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/config/dtlsd.ini"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray original =
        file.readAll() +
        "\n[identity a b/c]\nkey = \"text:x ; \\\" \\\\ y\" ; z\nallow_from=a, b\n";
    QRandomGenerator random(seed);
    int accepted = 0;
    for (int i = 0; i < count; ++i) {
        QByteArray text = original;
        for (int edits = random.bounded(1, 4); edits > 0; --edits) {
            const qsizetype at = random.bounded(static_cast<int>(text.size()));
            text[at] = odd[random.bounded(static_cast<int>(odd.size()))];
        }
        const IniDocument document = IniDocument::parse(text);
        if (!isAccepted(document))
            continue;
        ++accepted;
        const QString difference = disagreement(text, document);
        QVERIFY2(difference.isEmpty(), qPrintable(difference));
    }
    qInfo("seed %u: %d of %d documents accepted", seed, accepted, count);
    QVERIFY(accepted > count / 5);
}

QTEST_GUILESS_MAIN(tst_IniDocument)
#include "tst_inidocument.moc"
