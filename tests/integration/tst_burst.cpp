// SPDX-License-Identifier: Apache-2.0
//
// The receive buffer holds a burst: one datagram of every session, while the daemon does not get
// to run, is one receipt for every session, without a repetition.
#include "FleetSize.h"

#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QFile>

#include <algorithm>
#include <csignal>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

/// As the kernel has it in /proc: S, R, T and so on; `T` is stopped.
QByteArray stateOf(qint64 processId)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(processId));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArray line = file.readAll();
    return line.mid(line.lastIndexOf(')') + 2, 1);
}

} // namespace

class TestBurst : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aBurstOfEverySessionIsAnswered_data();
    void aBurstOfEverySessionIsAnswered();

private:
    void connectAll(const SocketAddress &server);

    std::vector<std::unique_ptr<DtlsClient>> m_clients;
    int m_connected = 0;
    QList<QByteArray> m_receipts;
};

void TestBurst::initTestCase()
{
    if (raiseDescriptorLimit() < fleetSize + 100)
        QSKIP("not enough file descriptors for the clients");
}

void TestBurst::connectAll(const SocketAddress &server)
{
    for (int i = 0; i < fleetSize; ++i) {
        m_clients.push_back(std::make_unique<DtlsClient>(DtlsClient::Options{
            .identity = "fleet",
            .key = PskKey(testKey),
            .ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value(),
            .handshakeTimeout = 60s}));
        DtlsClient *client = m_clients.back().get();
        connect(client, &DtlsClient::connected, this, [this] { ++m_connected; });
        connect(client, &DtlsClient::received, this,
                [this](const QByteArray &receipt) { m_receipts << receipt; });
        QVERIFY(client->connectTo(server));
        QTRY_VERIFY_WITH_TIMEOUT(i - m_connected < handshakesAtOnce, 60'000);
    }
    QTRY_COMPARE_WITH_TIMEOUT(m_connected, fleetSize, 60'000);
}

void TestBurst::aBurstOfEverySessionIsAnswered_data()
{
    QTest::addColumn<int>("size");
    QTest::newRow("short messages") << 20;
    QTest::newRow("messages of a kilobyte") << 1000;
}

void TestBurst::aBurstOfEverySessionIsAnswered()
{
    QFETCH(int, size);
    m_clients.clear();
    m_receipts.clear();
    m_connected = 0;
    DaemonProcess daemon("[server]\nlisten = 127.0.0.1:0\nreply = echo\nworkers = 1\n"
                         "[psk]\nfile =\n[identity fleet]\nkey = hex:" +
                         hexKey + "\n");
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    for (const QJsonObject &warning : daemon.events(QStringLiteral("configuration-warning"))) {
        const QString text = warning[QStringLiteral("message")].toString();
        if (text.contains(QStringLiteral("receive_buffer")))
            QSKIP(qPrintable(text));
    }
    // One worker, so that one buffer has to hold it all.
    connectAll(daemon.addresses().constFirst());
    if (QTest::currentTestFailed())
        return;

    daemon.process().sendSignal(SIGSTOP);
    QTRY_COMPARE(stateOf(daemon.process().processId()), QByteArray("T"));
    QList<QByteArray> messages;
    for (const auto &client : m_clients) {
        messages << QByteArray::number(messages.size()).leftJustified(size, '.');
        QVERIFY(client->send(messages.last()));
    }
    daemon.process().sendSignal(SIGCONT);
    waitUntil([&] { return m_receipts.size() >= messages.size(); }, QDeadlineTimer(patience));
    std::sort(messages.begin(), messages.end());
    std::sort(m_receipts.begin(), m_receipts.end());
    QCOMPARE(m_receipts, messages);
    QCOMPARE(daemon.events(QStringLiteral("datagram-received")).size(), fleetSize);
    QCOMPARE(daemon.stop(), 0);
}

DTLSD_TEST(TestBurst)
#include "tst_burst.moc"
