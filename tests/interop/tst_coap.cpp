// SPDX-License-Identifier: Apache-2.0
//
// libcoap's clients, on two TLS libraries, get from its server behind dtlsd what that server says
// to a client of its own, without DTLS; and all that it was asked is in the log.
#include "interop/CoapBody.h"
#include "interop/CoapStage.h"
#include "support/KeyedLink.h"
#include "support/TestProgram.h"

#include <QSignalSpy>
#include <QUdpSocket>

#include <algorithm>
#include <functional>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// A hundred messages, one after the other.
QDeadlineTimer timeForBody()
{
    return QDeadlineTimer(5 * patience);
}

/// A message of RFC 7252 §3, with @p text as its end.
QByteArray message(const char *hex, const QByteArray &text = {})
{
    return QByteArray::fromHex(hex) + text;
}

/// A plain UDP client; what it has heard.
class Correspondent : public QUdpSocket
{
public:
    explicit Correspondent(const SocketAddress &server)
    {
        connectToHost(server.address(), server.port());
        connect(this, &QUdpSocket::readyRead, this, [this] {
            while (hasPendingDatagrams())
                heard << QByteArray(read(pendingDatagramSize()));
        });
    }

    QList<QByteArray> heard;
};

/// Sends each of @p requests once the one before is answered in @p heard.
bool sendAll(const QList<QByteArray> &requests, const QList<QByteArray> &heard,
             const std::function<void(const QByteArray &)> &send)
{
    return std::ranges::all_of(requests, [&](const QByteArray &request) {
        const qsizetype before = heard.size();
        send(request);
        constexpr qsizetype headerSize = 4;
        return request.size() < headerSize || // no message, no answer
               waitUntil([&] { return heard.size() > before; }, QDeadlineTimer(patience));
    });
}

} // namespace

class TestCoap : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void init() { m_stage.forget(); }
    void anAnswerIsTheServers_data();
    void anAnswerIsTheServers();
    void aBodyIsPutAndGotBlockByBlock_data();
    void aBodyIsPutAndGotBlockByBlock();
    void everyByteOfAnAnswerIsTheServers();

private:
    void checkLog(const QString &identity);

    CoapStage m_stage;
};

void TestCoap::initTestCase()
{
    if (!CoapStage::isAvailable())
        QSKIP("libcoap's server and clients are not installed");
    QVERIFY2(m_stage.start(), qPrintable(m_stage.errorText()));
}

void TestCoap::cleanupTestCase()
{
    if (!CoapStage::isAvailable())
        return;
    QCOMPARE(m_stage.stop(), 0);
    QCOMPARE(m_stage.errorText(), QString());
}

void TestCoap::checkLog(const QString &identity)
{
    QVERIFY(m_stage.waitForEnd(identity));
    QVERIFY(!m_stage.handedOver().isEmpty());
    QCOMPARE(m_stage.logged(identity), m_stage.handedOver());
}

void TestCoap::anAnswerIsTheServers_data()
{
    QTest::addColumn<QString>("program");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("arguments");
    for (const QString &program : CoapStage::secureClients) {
        const auto row = [&program](const char *name, const char *path, const char *arguments) {
            QTest::addRow("%s, %s", name, qPrintable(program))
                << program << QString::fromLatin1(path) << QString::fromLatin1(arguments);
        };
        row("a GET", "", "-m get");
        row("a list of resources", ".well-known/core", "-m get");
        row("a GET without confirmation", "", "-m get -N");
        row("a GET of nothing", "nothing", "-m get");
        row("a PUT", "room", "-m put -e temperature=21.5");
        row("a PUT without confirmation", "room", "-m put -N -e temperature=21.7");
        row("a PUT that is not allowed", "async", "-m put -e 1");
        row("a separate response", "async?1", "-m get");
    }
}

void TestCoap::anAnswerIsTheServers()
{
    QFETCH(QString, program);
    QFETCH(QString, path);
    QFETCH(QString, arguments);
    const QString identity = QString::fromUtf8(QTest::currentDataTag());
    QVERIFY(m_stage.put(QStringLiteral("room"), "cold"));
    CoapClient own(m_stage.direct(path, arguments.split(u' ')));
    QVERIFY2(own.run(), qPrintable(own.log()));
    QVERIFY(!own.answers().isEmpty());
    QVERIFY(m_stage.put(QStringLiteral("room"), "cold"));

    CoapClient client(m_stage.secure(program, identity, path, arguments.split(u' ')));
    QVERIFY2(client.run(), qPrintable(client.log()));
    QCOMPARE(client.answers(), own.answers());
    QCOMPARE(client.body(), own.body());
    checkLog(identity);
}

void TestCoap::aBodyIsPutAndGotBlockByBlock_data()
{
    QTest::addColumn<QString>("program");
    for (const QString &program : CoapStage::secureClients)
        QTest::newRow(qPrintable(program)) << program;
}

void TestCoap::aBodyIsPutAndGotBlockByBlock()
{
    QFETCH(QString, program);
    const CoapBody body(100'000);
    const QStringList putting{QStringLiteral("-m"),   QStringLiteral("put"), QStringLiteral("-b"),
                              QStringLiteral("1024"), QStringLiteral("-f"),  body.file()};
    const QStringList getting{QStringLiteral("-m"), QStringLiteral("get"), QStringLiteral("-b"),
                              QStringLiteral("1024")};
    QVERIFY(m_stage.put(program, "no body yet"));
    CoapClient ownPut(m_stage.direct(program, putting));
    QVERIFY2(ownPut.run(timeForBody()), qPrintable(ownPut.log()));
    CoapClient ownGet(m_stage.direct(program, getting));
    QVERIFY2(ownGet.run(timeForBody()), qPrintable(ownGet.log()));
    QVERIFY(ownGet.body() == body.bytes());
    QVERIFY(m_stage.put(program, "no body again"));

    const QString putter = program + QStringLiteral(" puts");
    CoapClient put(m_stage.secure(program, putter, program, putting));
    QVERIFY2(put.run(timeForBody()), qPrintable(put.log()));
    QCOMPARE(put.answers().size(), body.bytes().size() / 1024 + 1);
    QCOMPARE(put.answers(), ownPut.answers());
    checkLog(putter);

    m_stage.forget();
    const QString getter = program + QStringLiteral(" gets");
    CoapClient get(m_stage.secure(program, getter, program, getting));
    QVERIFY2(get.run(timeForBody()), qPrintable(get.log()));
    QCOMPARE(get.answers(), ownGet.answers());
    QVERIFY(get.body() == body.bytes());
    checkLog(getter);
}

/// Requests that are the same to the last bit, so that any difference would be dtlsd's.
void TestCoap::everyByteOfAnAnswerIsTheServers()
{
    const QList<QByteArray> requests{
        message("40010001"),                   // GET /
        message("44010002deadbeefb4", "room"), // GET /room with a token
        message("41030003aab4", "room\xff"
                                "22"),      // PUT /room
        message("41010004bbb4", "room"),    // GET /room
        message("40010005b7", "nothing"),   // GET of nothing
        message("4003000680ff", "no path"), // PUT /
        message("40010007d10cff"),          // GET with an unknown critical option
        message("4001"),                    // too short for a message
        message("40000008"),                // a ping
        message("40010009bb", ".well-known\x04"
                              "core"),
    };
    QVERIFY(m_stage.put(QStringLiteral("room"), "21.5"));
    Correspondent own(m_stage.serverAddress());
    QVERIFY(sendAll(requests, own.heard, [&](const QByteArray &each) { own.write(each); }));
    QCOMPARE(own.heard.size(), requests.size() - 1);
    QVERIFY(m_stage.put(QStringLiteral("room"), "21.5"));

    KeyedLink link({.identity = "by hand", .key = CoapStage::key});
    QSignalSpy connected(&link, &KeyedLink::connected);
    QList<QByteArray> heard;
    connect(&link, &KeyedLink::received, this, [&](const QByteArray &each) { heard << each; });
    link.start(m_stage.address());
    QVERIFY(connected.wait(qtPatience));
    QVERIFY(sendAll(requests, heard, [&](const QByteArray &each) { link.send(each); }));
    link.close();
    QCOMPARE(heard, own.heard);
    QCOMPARE(m_stage.handedOver(), requests);
    checkLog(QStringLiteral("by hand"));
}

DTLSD_TEST(TestCoap)
#include "tst_coap.moc"
