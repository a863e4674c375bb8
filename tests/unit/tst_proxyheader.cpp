// SPDX-License-Identifier: Apache-2.0
//
// The header of the PROXY protocol, byte for byte as haproxy.org's proxy-protocol.txt (§2.2) has
// it. What a reader that is not ours makes of it is in tst_proxyreader.
#include "forward/ProxyHeader.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

const QByteArray begin = "0d0a0d0a000d0a515549540a" // the signature
                         "21";                      // version 2, PROXY
const QByteArray ipv4 = "12";                       // IPv4, datagrams
const QByteArray ipv6 = "22";
const QByteArray addresses4 = "c0000207c0000201" // 192.0.2.7, 192.0.2.1
                              "1633573e";        // 5683, 22334
const QByteArray client = "0100000000";          // over SSL, verified
const QByteArray version = "210008" + QByteArray("DTLSv1.2").toHex();
const QByteArray cipher = "230015" + QByteArray("PSK-AES128-GCM-SHA256").toHex();
const QByteArray session16 = "050010" + QByteArray("0123456789abcdef").toHex();

} // namespace

class TestProxyHeader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itIsAsTheSpecificationHasIt_data();
    void itIsAsTheSpecificationHasIt();
    void itFollowsTheSessionToAnotherAddress();
    void itFitsBeforeTheLargestRecord();
};

void TestProxyHeader::itIsAsTheSpecificationHasIt_data()
{
    QTest::addColumn<SessionInfo>("session");
    QTest::addColumn<QByteArray>("expected");
    const auto with = [](const QByteArray &identity) {
        SessionInfo info = session();
        info.identity = identity;
        return info;
    };
    QTest::newRow("an identity") << with("sensor-17")
                                 << begin + ipv4 + "0056" + addresses4 + "200034" + client +
                                        version + "220009" + QByteArray("sensor-17").toHex() +
                                        cipher + session16;
    QTest::newRow("the empty identity") << with("")
                                        << begin + ipv4 + "004d" + addresses4 + "20002b" + client +
                                               version + "220000" + cipher + session16;
    QTest::newRow("an identity beyond ASCII")
        << with("gerät")
        << begin + ipv4 + "0053" + addresses4 + "200031" + client + version + "220006676572c3a474" +
               cipher + session16;
    QTest::newRow("the longest identity")
        << with(QByteArray(255, 'x'))
        << begin + ipv4 + "014c" + addresses4 + "20012a" + client + version + "2200ff" +
               QByteArray(255, 'x').toHex() + cipher + session16;
    const auto notText = [&](const char *name, const QByteArray &identity, const QByteArray &length,
                             const QByteArray &tlv) {
        QTest::newRow(name) << with(identity)
                            << begin + ipv4 + length + addresses4 + "200028" + client + version +
                                   cipher + session16 + "e0" + tlv;
    };
    notText("an identity that is not UTF-8", "\xff\xfe", "004f", "0002fffe");
    notText("an identity that is UTF-8 up to its last byte", "abc\xc3", "0051", "0004616263c3");
    notText("an identity with a surrogate", "\xed\xa0\x80", "0050", "0003eda080");
    notText("an identity with an overlong form", "\xc0\xaf", "004f", "0002c0af");
    notText("the longest identity that is not UTF-8", QByteArray(255, '\x80'), "014c",
            "00ff" + QByteArray(255, '\x80').toHex());
    SessionInfo at6 = session();
    at6.path = {SocketAddress::parse(u"[2001:db8::7]:5683").value(),
                SocketAddress::parse(u"[2001:db8::1]:22334").value()};
    QTest::newRow("IPv6") << at6
                          << begin + ipv6 + "006e" +
                                 "20010db8000000000000000000000007"
                                 "20010db8000000000000000000000001"
                                 "1633573e"
                                 "200034" +
                                 client + version + "220009" + QByteArray("sensor-17").toHex() +
                                 cipher + session16;
}

void TestProxyHeader::itIsAsTheSpecificationHasIt()
{
    QFETCH(SessionInfo, session);
    QFETCH(QByteArray, expected);
    QCOMPARE(proxyHeader(session).toHex(), expected);
}

void TestProxyHeader::itFollowsTheSessionToAnotherAddress()
{
    SessionInfo moved = session();
    const QByteArray before = proxyHeader(moved).toHex();
    moved.path.peer = SocketAddress::parse(u"198.51.100.9:1024").value();
    QByteArray expected = before;
    expected.replace(addresses4, "c6336409c00002010400573e");
    QVERIFY(expected != before);
    QCOMPARE(proxyHeader(moved).toHex(), expected);
}

void TestProxyHeader::itFitsBeforeTheLargestRecord()
{
    SessionInfo info = session();
    info.identity = QByteArray(255, '\xff');
    constexpr qsizetype record = 1 << 14;
    constexpr qsizetype datagram = 65'507;
    QVERIFY(proxyHeader(info).size() + record <= datagram);
}

DTLSD_TEST(TestProxyHeader)
#include "tst_proxyheader.moc"
