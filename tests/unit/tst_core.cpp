// SPDX-License-Identifier: Apache-2.0
#include "core/Escape.h"
#include "core/Quantity.h"
#include "core/SocketAddress.h"

#include <QTest>

using namespace dtlsd;
using namespace std::chrono_literals;

class TestCore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anAddressIsReadAndWrittenAlike_data();
    void anAddressIsReadAndWrittenAlike();
    void whatIsNoAddressIsRefused_data();
    void whatIsNoAddressIsRefused();
    void anAddressPassesThroughTheKernelsForm();
    void aScopeIsKept();
    void aNetworkIsASlash24OrASlash48_data();
    void aNetworkIsASlash24OrASlash48();
    void aDurationNeedsItsUnit_data();
    void aDurationNeedsItsUnit();
    void aByteSizeIsAPowerOf1024_data();
    void aByteSizeIsAPowerOf1024();
    void foreignBytesStayOnOneLine_data();
    void foreignBytesStayOnOneLine();
    void aTerminalIsShownLinesAndNothingElse_data();
    void aTerminalIsShownLinesAndNothingElse();
};

void TestCore::anAddressIsReadAndWrittenAlike_data()
{
    QTest::addColumn<QString>("text");
    for (const char *text :
         {"192.0.2.7:5683", "0.0.0.0:22334", "127.0.0.1:0", "255.255.255.255:65535", "[::]:22334",
          "[2001:db8::7]:65535", "[::1]:1"})
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestCore::anAddressIsReadAndWrittenAlike()
{
    QFETCH(QString, text);
    const auto address = SocketAddress::parse(text);
    QVERIFY(address);
    QCOMPARE(address->toString(), text);
    QCOMPARE(SocketAddress(address->address(), address->port()), *address);
}

void TestCore::whatIsNoAddressIsRefused_data()
{
    QTest::addColumn<QString>("text");
    for (const char *text :
         {"", ":", "192.0.2.7", "192.0.2.7:", "192.0.2.7:65536", "192.0.2.7:+1", "192.0.2.7: 1",
          "192.0.2.7:000001", "127.1:5", "0x7f000001:5", "::1:5", "[192.0.2.7]:5", "[::1]5",
          "[::1:5", "localhost:5", "256.0.0.1:5", ":5"})
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestCore::whatIsNoAddressIsRefused()
{
    QFETCH(QString, text);
    QVERIFY(!SocketAddress::parse(text));
}

void TestCore::anAddressPassesThroughTheKernelsForm()
{
    const SocketAddress four = SocketAddress::parse(u"192.0.2.7:5683").value();
    const SocketAddress six = SocketAddress::parse(u"[2001:db8::7]:5683").value();
    sockaddr_storage storage{};
    for (const int family : {AF_INET, AF_INET6}) { // IPv4 through either, as a dual-stack socket
        four.toSockaddr(storage, family);
        QCOMPARE(SocketAddress::fromSockaddr(reinterpret_cast<sockaddr *>(&storage)), four);
    }
    six.toSockaddr(storage, AF_INET6);
    QCOMPARE(SocketAddress::fromSockaddr(reinterpret_cast<sockaddr *>(&storage)), six);
    QVERIFY(four.isIPv4());
    QVERIFY(!six.isIPv4());
    QCOMPARE(std::hash<SocketAddress>()(four), std::hash<SocketAddress>()(four));
    QVERIFY(std::hash<Path>()({four, six}) != std::hash<Path>()({six, four}));
}

void TestCore::aScopeIsKept()
{
    const auto byName = SocketAddress::parse(u"[fe80::1%lo]:5683");
    QVERIFY(byName);
    sockaddr_storage storage{};
    byName->toSockaddr(storage, AF_INET6);
    QCOMPARE(SocketAddress::fromSockaddr(reinterpret_cast<sockaddr *>(&storage)), *byName);
    QCOMPARE(byName->toString(), QStringLiteral("[fe80::1%1]:5683"));
    QCOMPARE(SocketAddress::parse(u"[fe80::1%1]:5683"), byName); // lo is always the first
    QVERIFY(SocketAddress::parse(u"[fe80::1]:5683") != byName);
}

void TestCore::aNetworkIsASlash24OrASlash48_data()
{
    QTest::addColumn<QString>("one");
    QTest::addColumn<QString>("other");
    QTest::addColumn<bool>("isTheSame");
    const auto row = [](const char *name, const char *one, const char *other, bool isTheSame) {
        QTest::newRow(name) << QString::fromLatin1(one) << QString::fromLatin1(other) << isTheSame;
    };
    row("two IPv4 addresses of a /24", "192.0.2.7:1", "192.0.2.8:2", true);
    row("two IPv4 /24", "192.0.2.7:1", "192.0.3.7:1", false);
    row("two IPv6 /64 of a /48", "[2001:db8::1]:1", "[2001:db8:0:1::1]:2", true);
    row("two IPv6 /48", "[2001:db8::1]:1", "[2001:db8:1::1]:1", false);
    row("an IPv4-mapped address", "[::ffff:192.0.2.7]:1", "192.0.2.8:1", true);
    row("two IPv4 networks behind NAT64", "[64:ff9b::192.0.2.7]:1", "[64:ff9b::192.0.3.7]:1",
        false);
    row("an IPv4 network with and without NAT64", "[64:ff9b::192.0.2.7]:1", "192.0.2.8:1", true);
    row("a neighbour of the NAT64 prefix", "[64:ff9b:0:1::c000:207]:1", "192.0.2.8:1", false);
}

void TestCore::aNetworkIsASlash24OrASlash48()
{
    QFETCH(QString, one);
    QFETCH(QString, other);
    QFETCH(bool, isTheSame);
    const auto network = [](const QString &text) {
        return SocketAddress::parse(text).value().network();
    };
    QCOMPARE(network(one) == network(other), isTheSame);
}

void TestCore::aDurationNeedsItsUnit_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("milliseconds"); // -1: refused
    QTest::addColumn<QString>("written");
    const auto row = [](const char *text, qint64 value, const char *written) {
        QTest::newRow(text) << QString::fromLatin1(text) << value << QString::fromLatin1(written);
    };
    row("30s", 30'000, "30s");
    row("10min", 600'000, "10min");
    row("90s", 90'000, "90s");
    row("1500ms", 1500, "1500ms");
    row("24h", 86'400'000, "1d");
    row("0", 0, "0");
    row("0s", 0, "0");
    row("30", -1, "");
    row("", -1, "");
    row("s", -1, "");
    row("-1s", -1, "");
    row("1 s", -1, "");
    row("1.5s", -1, "");
    row("10m", -1, "");
    row("106751991168d", -1, "");
    row("99999999999999999999s", -1, "");
}

void TestCore::aDurationNeedsItsUnit()
{
    QFETCH(QString, text);
    QFETCH(qint64, milliseconds);
    QFETCH(QString, written);
    const auto duration = parseDuration(text);
    QCOMPARE(duration.has_value(), milliseconds >= 0);
    if (!duration)
        return;
    QCOMPARE(duration->count(), milliseconds);
    QCOMPARE(formatDuration(*duration), written);
    QCOMPARE(parseDuration(written), duration);
}

void TestCore::aByteSizeIsAPowerOf1024_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("bytes"); // -1: refused
    QTest::newRow("4M") << QStringLiteral("4M") << qint64{4 << 20};
    QTest::newRow("416K") << QStringLiteral("416K") << qint64{416 << 10};
    QTest::newRow("1500") << QStringLiteral("1500") << qint64{1500};
    QTest::newRow("4MB") << QStringLiteral("4MB") << qint64{-1};
    QTest::newRow("4m") << QStringLiteral("4m") << qint64{-1};
    QTest::newRow("too large") << QStringLiteral("9999999999G") << qint64{-1};
}

void TestCore::aByteSizeIsAPowerOf1024()
{
    QFETCH(QString, text);
    QFETCH(qint64, bytes);
    const auto size = parseByteSize(text);
    QCOMPARE(size.value_or(-1), bytes);
    if (size)
        QCOMPARE(formatByteSize(*size), text);
}

void TestCore::foreignBytesStayOnOneLine_data()
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

void TestCore::foreignBytesStayOnOneLine()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, text);
    QCOMPARE(escaped(bytes), text);
}

void TestCore::aTerminalIsShownLinesAndNothingElse_data()
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

void TestCore::aTerminalIsShownLinesAndNothingElse()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    QCOMPARE(forTerminal(text), shown);
}

QTEST_GUILESS_MAIN(TestCore)
#include "tst_core.moc"
