// SPDX-License-Identifier: Apache-2.0
#include "core/SocketAddress.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestSocketAddress : public QObject
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
};

void TestSocketAddress::anAddressIsReadAndWrittenAlike_data()
{
    QTest::addColumn<QString>("text");
    for (const char *text :
         {"192.0.2.7:5683", "0.0.0.0:22334", "127.0.0.1:0", "255.255.255.255:65535", "[::]:22334",
          "[2001:db8::7]:65535", "[::1]:1"})
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestSocketAddress::anAddressIsReadAndWrittenAlike()
{
    QFETCH(QString, text);
    const auto address = SocketAddress::parse(text);
    QVERIFY(address);
    QCOMPARE(address->toString(), text);
    QCOMPARE(SocketAddress(address->address(), address->port()), *address);
}

void TestSocketAddress::whatIsNoAddressIsRefused_data()
{
    QTest::addColumn<QString>("text");
    for (const char *text :
         {"", ":", "192.0.2.7", "192.0.2.7:", "192.0.2.7:65536", "192.0.2.7:+1", "192.0.2.7: 1",
          "192.0.2.7:000001", "127.1:5", "0x7f000001:5", "::1:5", "[192.0.2.7]:5", "[::1]5",
          "[::1:5", "localhost:5", "256.0.0.1:5", ":5"})
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestSocketAddress::whatIsNoAddressIsRefused()
{
    QFETCH(QString, text);
    QVERIFY(!SocketAddress::parse(text));
}

void TestSocketAddress::anAddressPassesThroughTheKernelsForm()
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

void TestSocketAddress::aScopeIsKept()
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

void TestSocketAddress::aNetworkIsASlash24OrASlash48_data()
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

void TestSocketAddress::aNetworkIsASlash24OrASlash48()
{
    QFETCH(QString, one);
    QFETCH(QString, other);
    QFETCH(bool, isTheSame);
    const auto network = [](const QString &text) {
        return SocketAddress::parse(text).value().network();
    };
    QCOMPARE(network(one) == network(other), isTheSame);
}

DTLSD_TEST(TestSocketAddress)
#include "tst_socketaddress.moc"
