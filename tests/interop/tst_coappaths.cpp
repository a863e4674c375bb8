// SPDX-License-Identifier: Apache-2.0
//
// What CoAP has for bad and changing networks, through dtlsd: confirmation where datagrams get
// lost, and observations (RFC 7641), also by a device that moves.
#include "interop/CoapStage.h"
#include "support/KeyedLink.h"
#include "support/TestProgram.h"

#include <QSignalSpy>

#include <algorithm>
#include <memory>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// Loses every fifth datagram either way, the first one to the server as number @p first, from 0.
/// Nothing of a handshake is lost, none of whose flights comes five times.
FaultPlan losingEveryFifth(int first)
{
    FaultPlan plan;
    for (int i = 0; i < 20; ++i) {
        for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
            const int shift = direction == Direction::ToServer ? first : first + 2;
            const int number = 5 * i + shift % 5 + 1;
            plan.rules.push_back({.flight = Flight::ApplicationData,
                                  .direction = direction,
                                  .first = number,
                                  .last = number});
        }
    }
    return plan;
}

QList<QByteArray> sorted(QList<QByteArray> list)
{
    std::sort(list.begin(), list.end());
    return list;
}

/// A client behind a bad path.
struct Device
{
    std::unique_ptr<Relay> relay;
    std::unique_ptr<CoapClient> client;
};

} // namespace

class TestCoapPaths : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void init() { m_stage.forget(); }
    void requestsAreConfirmedOverAPathThatLosesEveryFifthDatagram();
    void anObserverIsNotified_data();
    void anObserverIsNotified();
    void anObserverThatMovesIsStillNotified();

private:
    CoapStage m_stage;
};

void TestCoapPaths::initTestCase()
{
    if (!CoapStage::isAvailable())
        QSKIP("libcoap's server and clients are not installed");
    QVERIFY2(m_stage.start(), qPrintable(m_stage.errorText()));
}

void TestCoapPaths::cleanupTestCase()
{
    if (!CoapStage::isAvailable())
        return;
    QCOMPARE(m_stage.stop(), 0);
    QCOMPARE(m_stage.errorText(), QString());
}

void TestCoapPaths::requestsAreConfirmedOverAPathThatLosesEveryFifthDatagram()
{
    const QString path = QStringLiteral("lossy");
    QVERIFY(m_stage.put(path, "21.5"));
    const QStringList five{QStringLiteral("-G"), QStringLiteral("5"), QStringLiteral("-m")};
    const QList<QStringList> requests{
        five + QStringList{QStringLiteral("get")},
        five + QStringList{QStringLiteral("put"), QStringLiteral("-e"), QStringLiteral("21.5")}};
    CoapClient ownGet(m_stage.direct(path, requests[0]));
    CoapClient ownPut(m_stage.direct(path, requests[1]));
    QVERIFY(ownGet.launch() && ownPut.launch());
    std::vector<Device> devices;
    for (int i = 0; i < 10; ++i) { // each order of losses, by each program
        const QString name = QStringLiteral("lossy %1").arg(i);
        auto relay = std::make_unique<Relay>(m_stage.address(), losingEveryFifth(i));
        CoapClient::Options options =
            m_stage.secure(CoapStage::secureClients[i / 5], name, path, requests[i % 2]);
        options.server = relay->address();
        devices.push_back({std::move(relay), std::make_unique<CoapClient>(std::move(options))});
        QVERIFY(devices.back().client->launch());
    }
    QVERIFY2(ownGet.finish(), qPrintable(ownGet.log()));
    QVERIFY2(ownPut.finish(), qPrintable(ownPut.log()));
    for (std::size_t i = 0; i < devices.size(); ++i) {
        CoapClient &client = *devices[i].client;
        QVERIFY2(client.finish(QDeadlineTimer(2 * patience)), qPrintable(client.log()));
        QVERIFY(client.repetitions() > 0);
        QCOMPARE(client.answers(), (i % 2 == 0 ? ownGet : ownPut).answers());
    }

    QList<QByteArray> logged;
    const auto isComplete = [&] {
        logged = m_stage.logged(QStringLiteral("lossy "));
        return logged.size() == m_stage.handedOver().size();
    };
    QVERIFY(waitUntil(isComplete, QDeadlineTimer(patience)));
    QCOMPARE(sorted(logged), sorted(m_stage.handedOver()));
}

void TestCoapPaths::anObserverIsNotified_data()
{
    QTest::addColumn<QString>("program");
    for (const QString &program : CoapStage::secureClients)
        QTest::newRow(qPrintable(program)) << program;
}

void TestCoapPaths::anObserverIsNotified()
{
    QFETCH(QString, program);
    const QString path = QStringLiteral("of-") + program;
    const QStringList observing{QStringLiteral("-s"), QStringLiteral("60")};
    QVERIFY(m_stage.put(path, "one"));
    CoapClient own(m_stage.direct(path, observing));
    QVERIFY(own.launch());
    CoapClient client(m_stage.secure(program, program, path, observing));
    QVERIFY(client.launch());
    QByteArray body;
    for (const QByteArray text : {"one", "two", "three"}) {
        QVERIFY(text == "one" || m_stage.put(path, text));
        body += text;
        const auto bothKnow = [&] { return own.body() == body && client.body() == body; };
        QVERIFY2(waitUntil(bothKnow, QDeadlineTimer(patience)), qPrintable(client.log()));
    }
    QVERIFY2(own.interrupt(), qPrintable(own.log()));
    QVERIFY2(client.interrupt(), qPrintable(client.log()));
    QCOMPARE(own.answers().size(), 3);
    QCOMPARE(client.answers(), own.answers());
    QVERIFY(m_stage.waitForEnd(program));
    QCOMPARE(m_stage.logged(program), m_stage.handedOver());
}

void TestCoapPaths::anObserverThatMovesIsStillNotified()
{
    const QString path = QStringLiteral("tide");
    QVERIFY(m_stage.put(path, "low"));
    const std::size_t peersBefore = m_stage.peers();
    KeyedLink link({.identity = "boat", .key = CoapStage::key, .connectionId = "of a boat"});
    QSignalSpy connected(&link, &KeyedLink::connected);
    QList<QByteArray> heard;
    connect(&link, &KeyedLink::received, this, [&](const QByteArray &each) {
        heard << each;
        if (each.startsWith('\x42')) // confirmable, with a token of two: a notification
            link.send(QByteArray::fromHex("6000") + each.sliced(2, 2));
    });
    const auto hears = [&heard](const QByteArray &text) {
        const auto isThere = [&] { return !heard.isEmpty() && heard.last().endsWith(text); };
        return waitUntil(isThere, QDeadlineTimer(patience));
    };
    link.start(m_stage.address());
    QVERIFY(connected.wait(qtPatience));
    link.send(QByteArray::fromHex("42010001b0a76054") + "tide"); // GET, Observe: 0
    QVERIFY(hears("low"));

    char number = 1;
    for (const QByteArray place : {"127.0.9.9", "127.0.0.1", "127.0.9.10"}) {
        QVERIFY(m_stage.put(path, "before " + place));
        QVERIFY(hears("before " + place));
        link.setAddress(QHostAddress(QString::fromLatin1(place)));
        link.moveTo(m_stage.address()); // what comes to the former socket is lost
        link.send(QByteArray::fromHex("400100") + ++number + "\xb4gone"); // GET
        QVERIFY(hears("Not Found"));
        QVERIFY(m_stage.put(path, "in " + place));
        QVERIFY(hears("in " + place));
    }
    link.close();
    QCOMPARE(heard.size(), 1 + 3 * 3); // none came twice
    QCOMPARE(m_stage.peers(), peersBefore + 1);
    QVERIFY(m_stage.waitForEnd(QStringLiteral("boat")));
    QCOMPARE(m_stage.logged(QStringLiteral("boat")), m_stage.handedOver());
    const auto moves = m_stage.daemon().events(QStringLiteral("session-moved"));
    QCOMPARE(moves.size(), 1); // one in a minute
    QCOMPARE(moves.constFirst()[QStringLiteral("peer_address")], QStringLiteral("127.0.9.9"));
}

DTLSD_TEST(TestCoapPaths)
#include "tst_coappaths.moc"
