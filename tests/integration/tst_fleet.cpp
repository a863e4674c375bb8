// SPDX-License-Identifier: Apache-2.0
//
// A fleet of sessions at once: every datagram has its receipt, and its entry.
#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/DescriptorLimit.h"
#include "support/TestProgram.h"

#include <QElapsedTimer>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int sessions = 200;
#else
constexpr int sessions = 2000;
#endif
constexpr int datagramsEach = 100;
constexpr int handshakesAtOnce = 100;

const QByteArray key = QByteArray::fromHex("00112233445566778899aabbccddeeff");

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
    if (descriptors < sessions + 100)
        QSKIP("not enough file descriptors for the clients");

    DaemonProcess daemon("[server]\nlisten = 127.0.0.1:0\nworkers = 2\n"
                         "reply = {identity} {sequence}\n"
                         "[psk]\nfile =\n[identity fleet]\nkey = hex:" +
                         key.toHex() + "\n");
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();

    std::vector<std::unique_ptr<DtlsClient>> clients;
    std::vector<int> receipts(sessions, 0);
    int connected = 0;
    int failed = 0;
    int done = 0;
    const auto begin = [&](std::size_t index) {
        auto client = std::make_unique<DtlsClient>(DtlsClient::Options{
            .identity = "fleet",
            .key = PskKey(key),
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
    for (int i = 0; i < sessions; ++i) {
        begin(static_cast<std::size_t>(i));
        QTRY_VERIFY_WITH_TIMEOUT(i - connected < handshakesAtOnce, 60'000);
    }
    QTRY_COMPARE_WITH_TIMEOUT(connected, sessions, 120'000);
    QCOMPARE(failed, 0);

    QElapsedTimer timer;
    timer.start();
    for (const auto &client : clients)
        QVERIFY(client->send("0"));
    QTRY_COMPARE_WITH_TIMEOUT(done, sessions, 240'000);
    qInfo("%d sessions, %d datagrams with receipts in %lld ms", sessions, sessions * datagramsEach,
          static_cast<long long>(timer.elapsed()));

    QCOMPARE(daemon.events(QStringLiteral("datagram-received")).size(), sessions * datagramsEach);
    for (const auto &client : clients)
        client->close();
    QVERIFY(waitUntil(
        [&] { return daemon.events(QStringLiteral("session-closed")).size() == sessions; },
        QDeadlineTimer(60s)));
    QCOMPARE(daemon.stop(), 0);
    QVERIFY(daemon.events(QStringLiteral("entries-dropped")).isEmpty());
}

DTLSD_TEST(TestFleet)
#include "tst_fleet.moc"
