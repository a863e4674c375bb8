// SPDX-License-Identifier: Apache-2.0
//
// A fleet of sessions at once: every datagram has its receipt, and its entry.
#include "FleetSize.h"

#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QElapsedTimer>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr int datagramsEach = 100;

} // namespace

class TestFleet : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyDatagramOfALargeFleetHasItsReceiptAndItsEntry();
};

void TestFleet::everyDatagramOfALargeFleetHasItsReceiptAndItsEntry()
{
    const std::size_t descriptors = raiseDescriptorLimit();
    QVERIFY(descriptors > 0);
    if (descriptors < fleetSize + 100)
        QSKIP("not enough file descriptors for the clients");

    DaemonProcess daemon("[server]\nlisten = 127.0.0.1:0\nworkers = 2\n"
                         "reply = {identity} {sequence}\n"
                         "[psk]\nfile =\n[identity fleet]\nkey = hex:" +
                         hexKey + "\n");
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();

    std::vector<std::unique_ptr<DtlsClient>> clients;
    std::vector<int> receipts(fleetSize, 0);
    int connected = 0;
    int failed = 0;
    int done = 0;
    const auto begin = [&](std::size_t index) {
        auto client = std::make_unique<DtlsClient>(DtlsClient::Options{
            .identity = "fleet",
            .key = PskKey(testKey),
            .ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value(),
            .handshakeTimeout = 60s});
        DtlsClient *raw = client.get();
        connect(raw, &DtlsClient::connected, this, [&connected] { ++connected; });
        connect(raw, &DtlsClient::failed, this, [&failed] { ++failed; });
        connect(raw, &DtlsClient::received, this, [&, raw, index](const QByteArray &reply) {
            QCOMPARE(reply, "fleet " + QByteArray::number(++receipts[index]));
            if (receipts[index] == datagramsEach)
                ++done;
            else
                raw->send(QByteArray::number(receipts[index]));
        });
        QVERIFY(client->connectTo(server));
        clients.push_back(std::move(client));
    };
    for (int i = 0; i < fleetSize; ++i) {
        begin(static_cast<std::size_t>(i));
        QTRY_VERIFY_WITH_TIMEOUT(i - connected < handshakesAtOnce, 60'000);
    }
    QTRY_COMPARE_WITH_TIMEOUT(connected, fleetSize, 120'000);
    QCOMPARE(failed, 0);

    QElapsedTimer timer;
    timer.start();
    for (const auto &client : clients)
        QVERIFY(client->send("0"));
    QTRY_COMPARE_WITH_TIMEOUT(done, fleetSize, 240'000);
    qInfo("%d sessions, %d datagrams with receipts in %lld ms", fleetSize,
          fleetSize * datagramsEach, static_cast<long long>(timer.elapsed()));

    QCOMPARE(daemon.events(QStringLiteral("datagram-received")).size(), fleetSize * datagramsEach);
    for (const auto &client : clients)
        client->close();
    QVERIFY(waitUntil(
        [&] { return daemon.events(QStringLiteral("session-closed")).size() == fleetSize; },
        QDeadlineTimer(60s)));
    QCOMPARE(daemon.stop(), 0);
    QVERIFY(daemon.events(QStringLiteral("entries-dropped")).isEmpty());
}

DTLSD_TEST(TestFleet)
#include "tst_fleet.moc"
