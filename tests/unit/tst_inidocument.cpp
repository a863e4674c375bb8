// SPDX-License-Identifier: Apache-2.0
//
// IniDocument against its grammar.
#include "config/IniDocument.h"
#include "config/IniValue.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QRandomGenerator>

#include <algorithm>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

/// @p document as it might have been written.
QString rewritten(const IniDocument &document)
{
    QString text;
    for (const auto &section : document.sections()) {
        text += u'[' + section.name + u"]\n"_s;
        for (const auto &entry : section.entries)
            text += entry.key + u'=' + writtenIniValue(entry.value) + u'\n';
    }
    return text;
}

} // namespace

class tst_IniDocument : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void valueIsRead_data();
    void valueIsRead();
    void writtenValueIsReadBack_data();
    void writtenValueIsReadBack();
    void linesAreCounted();
    void problemsAreFoundTogether();
    void nameIsRead_data();
    void nameIsRead();
    void commentsAreSkipped();
    void oddValuesAreReadBackAsTheyAreWritten();
    void oddDocumentsAreReadBackOrRefusedWithTheirLines();
};

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
    row("a comma is kept", "key = hello, you", u"hello, you"_s);
    row("a comma in quotes is kept", "key = \"hello, you\"", u"hello, you"_s);
    row("an at sign at the front is kept", "key = @Invalid()", u"@Invalid()"_s);
    row("an at sign in quotes is kept", "key = \"@x\"", u"@x"_s);
    row("a percent sign is kept", "key = 50%41", u"50%41"_s);
    row("UTF-8 is kept", "key = gr\xc3\xbc\xc3\x9f dich", u"grüß dich"_s);
    row("brackets are kept", "key = [::]:22334", u"[::]:22334"_s);
    row("CRLF ends a line", "key = value\r", u"value"_s);
}

void tst_IniDocument::valueIsRead()
{
    QFETCH(QByteArray, line);
    QFETCH(QString, value);
    const IniDocument document = IniDocument::parse("[section]\n" + line + "\n");
    QCOMPARE(document.problems().size(), 0);
    QVERIFY(document.find(u"section", u"key") != nullptr);
    QCOMPARE(document.find(u"section", u"key")->value, value);
}

void tst_IniDocument::writtenValueIsReadBack_data()
{
    QTest::addColumn<QString>("value");
    for (const char *value :
         {"", "plain", " blanks ", "a;b", "a ; b", "a,b", "\"", "\\", "a\\\"b", "# hash",
          "a # hash", "a#b", "tab\t", "\"whole\"", "[x]", "a=b", "@", ","})
        QTest::newRow(value) << QString::fromLatin1(value);
}

void tst_IniDocument::writtenValueIsReadBack()
{
    QFETCH(QString, value);
    const IniDocument document =
        IniDocument::parse("[s]\nkey = " + writtenIniValue(value).toUtf8() + "\n");
    QCOMPARE(document.problems().size(), 0);
    QCOMPARE(document.find(u"s", u"key")->value, value);
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

void tst_IniDocument::nameIsRead_data()
{
    QTest::addColumn<QByteArray>("name");
    const auto row = [](const char *title, const QByteArray &name) {
        QTest::newRow(title) << "identity " + name;
    };
    row("the empty one", "\"\"");
    row("a slash", "site/7");
    row("two slashes and one at the end", "a//b/");
    row("an equals sign", "a=b");
    row("blanks, an opening bracket and UTF-8", "t\xc3\xbcr [1 #x");
    row("a percent sign", "a%41");
    row("a backslash", "a\\b\\");
    row("a semicolon", "a ; b;");
    row("a semicolon at the front", ";a");
    row("double quotes, but at its front", "5\" by 7\"");
}

void tst_IniDocument::nameIsRead()
{
    QFETCH(QByteArray, name);
    for (const QByteArray rest : {"", " ", ";x", " ; x [y]"}) {
        const IniDocument document = IniDocument::parse('[' + name + ']' + rest + "\nk = v\n");
        QCOMPARE(document.problems().size(), 0);
        QCOMPARE(document.sections().size(), 1);
        QCOMPARE(document.sections()[0].name, QString::fromUtf8(name));
        QCOMPARE(document.sections()[0].entries.size(), 1);
    }
}

void tst_IniDocument::commentsAreSkipped()
{
    const IniDocument document =
        IniDocument::parse("# don't say \"\n# c:\\\n#a = b\n; don't say \"\n;c:\\\n[a] ; \"here\n"
                           "k = v ; \" \\\n # [b]\n ; [c]\nl = w");
    QCOMPARE(document.problems().size(), 0);
    QCOMPARE(rewritten(document), u"[a]\nk=v\nl=w\n"_s);
}

void tst_IniDocument::oddValuesAreReadBackAsTheyAreWritten()
{
    constexpr quint32 seed = 20240229;
    constexpr QStringView odd(u"\";\\#@[]=%, \tab\u00a0\u2028");
    QRandomGenerator random(seed);
    for (int i = 0; i < 20'000; ++i) {
        QString value;
        for (int size = random.bounded(8); size > 0; --size)
            value += odd[random.bounded(static_cast<int>(odd.size()))];
        const IniDocument document =
            IniDocument::parse("[s]\nk = " + writtenIniValue(value).toUtf8() + " ; comment");
        const IniDocument::Entry *entry = document.find(u"s", u"k");
        QVERIFY2(entry && entry->value == value, qPrintable(writtenIniValue(value)));
    }
}

/// The shipped file, with a few characters replaced by some that mean something.
void tst_IniDocument::oddDocumentsAreReadBackOrRefusedWithTheirLines()
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
        const qsizetype lines = text.count('\n') + 1;
        for (const auto &problem : document.problems())
            QVERIFY2(problem.line > 0 && problem.line <= lines && !problem.text.isEmpty(), text);
        if (!document.problems().isEmpty())
            continue;
        ++accepted;
        const QString again = rewritten(document);
        const IniDocument second = IniDocument::parse(again.toUtf8());
        QCOMPARE(second.problems().size(), 0);
        QCOMPARE(rewritten(second), again);
    }
    QVERIFY2(accepted > count / 5 && accepted < count, qPrintable(QString::number(accepted)));
}

DTLSD_TEST(tst_IniDocument)
#include "tst_inidocument.moc"
