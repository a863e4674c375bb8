// SPDX-License-Identifier: Apache-2.0
//
// What a reader that is not ours makes of the PROXY header: PowerDNS's dnsdist, which wants one
// before each DNS query. Devices ask for a name over DTLS.
#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/FreePort.h"
#include "support/JsonFields.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QDir>
#include <QSignalSpy>
#include <QStandardPaths>

#include <memory>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

// dnsdist as it is asked for a name: it prints what it has read, and refuses to resolve the name.
const QByteArray script = R"(
setSecurityPollSuffix('')
setLocal('SERVICE')
setProxyProtocolACL({'127.0.0.0/8', '::1/128'})
setACL({'0.0.0.0/0', '::/0'})
addAction(AllRule(), LuaAction(function(dq)
    local line = 'read peer=' .. dq.remoteaddr:toStringWithPort() ..
        ' local=' .. dq.localaddr:toStringWithPort() .. ' name=' .. dq.qname:toString()
    for kind, value in pairs(dq:getProxyProtocolValues()) do
        local hex = value:gsub('.', function(c) return string.format('%02x', c:byte()) end)
        if kind ~= 0 then line = line .. ' ' .. kind .. '=' .. hex end
    end
    infolog(line .. ' end')
    return DNSAction.Refused, ''
end))
)";

/// tests/run unpacks dnsdist, and the libraries that it needs, where it is not installed.
const QString unpackedDnsdist = QStringLiteral(DTLSD_SOURCE_DIR "/build/dnsdist/usr");

QString dnsdistProgram()
{
    const QString name = QStringLiteral("dnsdist");
    const QString installed = QStandardPaths::findExecutable(name);
    return !installed.isEmpty()
               ? installed
               : QStandardPaths::findExecutable(name, {unpackedDnsdist + QStringLiteral("/bin")});
}

/// A query of type TXT for `device.example`, and the answer to it: refused.
const QByteArray query = QByteArray::fromHex("1234010000010000000000000664657669636507657861"
                                             "6d706c650000100001");
QByteArray refusal()
{
    QByteArray answer = query;
    answer[2] = static_cast<char>(0x81);
    answer[3] = 0x05;
    return answer;
}

QByteArray field(const QByteArray &line, const QByteArray &name)
{
    const QByteArray begin = ' ' + name + '=';
    const qsizetype at = line.indexOf(begin);
    return at < 0 ? QByteArray("missing") : line.sliced(at + begin.size()).split(' ').constFirst();
}

QByteArray lengthOf(const QByteArray &value)
{
    return QByteArray::number(0x10000 + value.size(), 16).last(4) + value.toHex();
}

} // namespace

class TestProxyReader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void dnsdistReadsWhatDtlsdWrites_data();
    void dnsdistReadsWhatDtlsdWrites();

private:
    [[nodiscard]] bool startDnsdist(const SocketAddress &address);
    /// The last line that begins with `read`; empty: not by the deadline.
    QByteArray nextRead();

    QString m_program;
    std::unique_ptr<ChildProcess> m_dnsdist;
    QByteArray m_output;
};

void TestProxyReader::initTestCase()
{
    m_program = dnsdistProgram();
    if (m_program.isEmpty())
        QSKIP("dnsdist is not there; tests/run unpacks it");
}

bool TestProxyReader::startDnsdist(const SocketAddress &address)
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("dnsdist.conf")));
    QByteArray lines = script;
    lines.replace("SERVICE", address.toUtf8());
    if (!file.open(QIODevice::WriteOnly) || file.write(lines) != lines.size() || !file.flush())
        return false;
    m_dnsdist = std::make_unique<ChildProcess>();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    const QStringList folders =
        QDir(unpackedDnsdist + QStringLiteral("/lib")).entryList({QStringLiteral("*-linux-gnu*")});
    if (!folders.isEmpty())
        environment.insert(QStringLiteral("LD_LIBRARY_PATH"),
                           unpackedDnsdist + QStringLiteral("/lib/") + folders.constFirst());
    m_dnsdist->setProcessEnvironment(environment);
    m_dnsdist->setProcessChannelMode(QProcess::MergedChannels);
    m_output.clear();
    return m_dnsdist->run({m_program,
                           {QStringLiteral("--supervised"), QStringLiteral("--disable-syslog"),
                            QStringLiteral("-C"), file.fileName()}}) &&
           waitUntil(
               [this] {
                   m_output += m_dnsdist->readAll();
                   // The last thing that it says at its start.
                   return m_output.contains("No downstream servers defined");
               },
               QDeadlineTimer(patience));
}

QByteArray TestProxyReader::nextRead()
{
    const auto hasRead = [this] {
        m_output += m_dnsdist->readAll();
        const qsizetype at = m_output.indexOf("read peer=");
        return at >= 0 && m_output.indexOf(" end", at) >= 0;
    };
    if (!waitUntil(hasRead, QDeadlineTimer(patience)))
        return {};
    const qsizetype begin = m_output.indexOf("read peer=");
    const qsizetype end = m_output.indexOf(" end", begin);
    const QByteArray line = m_output.sliced(begin, end - begin);
    m_output = m_output.sliced(end);
    return line;
}

void TestProxyReader::dnsdistReadsWhatDtlsdWrites_data()
{
    QTest::addColumn<QByteArray>("identity");
    QTest::addColumn<QHostAddress>("device");
    QTest::addColumn<QHostAddress>("service");
    const QHostAddress ipv4(QHostAddress::LocalHost);
    const QHostAddress ipv6(QHostAddress::LocalHostIPv6);
    QTest::newRow("an identity") << QByteArray("sensor-17") << ipv4 << ipv4;
    QTest::newRow("a device over IPv6") << QByteArray("sensor-17") << ipv6 << ipv4;
    QTest::newRow("a service over IPv6") << QByteArray("sensor-17") << ipv4 << ipv6;
    QTest::newRow("an identity beyond ASCII") << QByteArray("ger\xc3\xa4t") << ipv4 << ipv4;
    QTest::newRow("an identity that is not UTF-8") << QByteArray("\xff\xfe\x01") << ipv4 << ipv4;
    QTest::newRow("the longest identity") << QByteArray(255, 'x') << ipv4 << ipv4;
}

void TestProxyReader::dnsdistReadsWhatDtlsdWrites()
{
    QFETCH(QByteArray, identity);
    QFETCH(QHostAddress, device);
    QFETCH(QHostAddress, service);
    const SocketAddress target(service, freePort());
    QVERIFY2(startDnsdist(target), m_output.constData());
    DaemonProcess daemon("[server]\nlisten = " + SocketAddress(device, 0).toUtf8() +
                         "\nworkers = 1\nforward = " + target.toUtf8() +
                         "\nforward_header = proxy\n[psk]\nfile = psk.txt\n");
    daemon.write(QStringLiteral("psk.txt"), identity + ':' + hexKey + '\n');
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    DtlsClient client(DtlsClient::Options{
        .identity = identity, .key = PskKey(QByteArray::fromHex(hexKey)), .ciphers = {}});
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    QVERIFY(client.connectTo(daemon.addresses().constFirst()));
    QVERIFY(connected.wait(qtPatience) || !connected.isEmpty());
    client.send(query);
    // DTLS's own way of saying what dnsdist has said.
    QTRY_COMPARE(received.size(), 1);
    QCOMPARE(received[0][0].toByteArray().toHex(), refusal().toHex());

    const QByteArray read = nextRead();
    QVERIFY2(!read.isEmpty(), m_output.constData());
    QCOMPARE(field(" " + read, "peer"),
             SocketAddress(device, client.localAddress().port()).toUtf8());
    QCOMPARE(field(read, "local"), daemon.addresses().constFirst().toUtf8());
    QCOMPARE(field(read, "name"), QByteArray("device.example."));
    const auto opened = daemon.waitForEvent(QStringLiteral("session-opened"));
    QVERIFY(opened);
    QCOMPARE(QByteArray::fromHex(field(read, "5")), text(*opened, "session").toLatin1());
    const bool isText = identity.isValidUtf8();
    const QByteArray cipher = text(*opened, "cipher").toLatin1();
    QVERIFY(!cipher.isEmpty());
    QCOMPARE(field(read, "32"), "0100000000" + ("21" + lengthOf("DTLSv1.2")) +
                                    (isText ? "22" + lengthOf(identity) : QByteArray()) + "23" +
                                    lengthOf(cipher));
    QCOMPARE(field(read, "224"), isText ? QByteArray("missing") : identity.toHex());
    QCOMPARE(daemon.stop(), 0);
}

DTLSD_TEST(TestProxyReader)
#include "tst_proxyreader.moc"
