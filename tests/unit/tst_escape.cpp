// SPDX-License-Identifier: Apache-2.0
#include "core/Escape.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestEscape : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void foreignBytesStayOnOneLine_data();
    void foreignBytesStayOnOneLine();
    void aTerminalIsShownLinesAndNothingElse_data();
    void aTerminalIsShownLinesAndNothingElse();
};

void TestEscape::foreignBytesStayOnOneLine_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    QTest::newRow("plain text") << QByteArray("temperature=21.5 °C")
                                << QStringLiteral("temperature=21.5 °C");
    QTest::newRow("a forged line") << QByteArray("eve\n2026-01-01 INFO fake")
                                   << QStringLiteral("eve\\x0a2026-01-01 INFO fake");
    QTest::newRow("a terminal's colour")
        << QByteArray("\x1b[31mred") << QStringLiteral("\\x1b[31mred");
    QTest::newRow("a backslash") << QByteArray("C:\\x0a") << QStringLiteral("C:\\\\x0a");
    QTest::newRow("NUL") << QByteArray("a\0b", 3) << QStringLiteral("a\\x00b");
    QTest::newRow("DEL and C1") << QByteArray("\x7f\xc2\x9b") << QStringLiteral("\\x7f\\xc2\\x9b");
    QTest::newRow("invalid UTF-8")
        << QByteArray("\xff\xc3(\xe2\x82") << QStringLiteral("\\xff\\xc3(\\xe2\\x82");
    QTest::newRow("an overlong slash") << QByteArray("\xc0\xaf") << QStringLiteral("\\xc0\\xaf");
    QTest::newRow("a surrogate") << QByteArray("\xed\xa0\x80") << QStringLiteral("\\xed\\xa0\\x80");
    QTest::newRow("writing from right to left")
        << QByteArray("a\xe2\x80\xae") << QStringLiteral("a\\xe2\\x80\\xae");
    QTest::newRow("a line separator")
        << QByteArray("\xe2\x80\xa8") << QStringLiteral("\\xe2\\x80\\xa8");
    QTest::newRow("beyond the basic plane")
        << QByteArray("\xf0\x9f\x8c\xa1") << QString::fromUtf8("\xf0\x9f\x8c\xa1");
    QTest::newRow("a tag, which nobody sees")
        << QByteArray("\xf3\xa0\x80\x81") << QStringLiteral("\\xf3\\xa0\\x80\\x81");
    QTest::newRow("a byte order mark")
        << QByteArray("\xef\xbb\xbfx") << QStringLiteral("\\xef\\xbb\\xbfx");
    QTest::newRow("too long") << QByteArray(300, 'x') << QString(256, QChar(u'x')) + QChar(u'…');
}

void TestEscape::foreignBytesStayOnOneLine()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, text);
    QCOMPARE(escaped(bytes), text);
}

void TestEscape::aTerminalIsShownLinesAndNothingElse_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");
    const auto row = [](const char *name, const QByteArray &text, const QByteArray &shown) {
        QTest::newRow(name) << text << shown;
    };
    row("lines", "one\ntwo: 21 °C\n", "one\ntwo: 21 °C\n");
    row("more than a log line holds", QByteArray(5000, 'x') + '\n', QByteArray(5000, 'x') + '\n');
    row("what was escaped before", "a\\x1b[2J\n", "a\\x1b[2J\n");
    row("a carriage return, a tab and a colour", "a\rb\t\x1b[31m", "a\\x0db\\x09\\x1b[31m");
    row("C1 controls, as bytes and as characters", "\x9b[31m\xc2\x9b[31m",
        "\\x9b[31m\\xc2\\x9b[31m");
    row("writing from right to left", "a\xe2\x80\xae", "a\\xe2\\x80\\xae");
    row("a tag, which nobody sees", "a\xf3\xa0\x80\x81", "a\\xf3\\xa0\\x80\\x81");
}

void TestEscape::aTerminalIsShownLinesAndNothingElse()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    QCOMPARE(forTerminal(text), shown);
}

DTLSD_TEST(TestEscape)
#include "tst_escape.moc"
