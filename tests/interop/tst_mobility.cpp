// SPDX-License-Identifier: Apache-2.0
//
// Mbed TLS's client with connection IDs (RFC 9146): every suite, IDs of several sizes, both
// families. It gets another port, and then another address, and goes on.
#include "interop/CipherSuite.h"
#include "support/ClientProcess.h"
#include "support/DaemonProcess.h"
#include "support/TestKey.h"

#include <QTest>

#include <optional>

#include <unistd.h>

using namespace dtlsd::test;

namespace {

struct Home
{
    QString server;
    QString other; ///< an address to move to
};

const QList<Home> homes{{QStringLiteral("127.0.0.1"), QStringLiteral("127.0.9.9")},
                        {QStringLiteral("fd00::1"), QStringLiteral("fd00::2")}};

} // namespace

class TestMobility : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aDeviceMoves_data();
    void aDeviceMoves();

private:
    std::optional<DaemonProcess> m_daemon;
    QString m_version;
};

void TestMobility::initTestCase()
{
    if (geteuid() != 0)
        QSKIP("a network namespace takes root");
    m_daemon.emplace("[server]\nlisten = 127.0.0.1:22334, [fd00::1]:22334\nworkers = 3\n"
                     "reply = {sequence} {peer}\n[tls]\nciphers = iot\n[psk]\nfile =\n"
                     "[identity *]\nkey = hex:" +
                     hexKey + '\n');
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    m_version = ClientProcess::version(ClientProcess::Kind::MbedTls);
    qInfo("%s", qPrintable(m_version));
}

void TestMobility::aDeviceMoves_data()
{
    QTest::addColumn<QString>("suite");
    QTest::addColumn<QString>("name"); // the log's
    QTest::addColumn<int>("home");
    QTest::addColumn<int>("idSize"); // -1: it asks for none
    for (const CipherSuite &suite : suitesOf(QStringLiteral("iot"))) {
        for (int home = 0; home < homes.size(); ++home) {
            for (const int size : {-1, 0, 4, 32})
                QTest::addRow("%s, %s, %d bytes", qPrintable(suite.mbedTls),
                              home == 0 ? "IPv4" : "IPv6", size)
                    << suite.mbedTls << suite.name << home << size;
        }
    }
}

void TestMobility::aDeviceMoves()
{
    QFETCH(QString, suite);
    QFETCH(QString, name);
    QFETCH(int, home);
    QFETCH(int, idSize);
    const QString identity = QString::fromUtf8(QTest::currentDataTag());
    const Home &at = homes[home];
    ClientProcess client({.kind = ClientProcess::Kind::MbedTls,
                          .server = {QHostAddress(at.server), 22334},
                          .identity = identity,
                          .key = testKey,
                          .cipher = suite,
                          .arguments = {}});
    if (idSize >= 0)
        client.setEnvironment(QStringLiteral("CONNECTION_ID"),
                              QString::fromLatin1(QByteArray(idSize, 'i').toHex()));
    QVERIFY2(client.connectToServer(), qPrintable(client.errorText()));
    const auto replyTo = [&](const QByteArray &message) {
        const auto reply = client.exchange(message);
        return reply ? reply->trimmed() : QByteArray();
    };
    const QByteArray first = replyTo("at home");
    QVERIFY2(first.startsWith("1 "), first.constData());
    if (idSize >= 0) {
        QVERIFY(client.send("!move"));
        const QByteArray second = replyTo("from another port");
        QVERIFY2(second.startsWith("2 ") && second.sliced(2) != first.sliced(2),
                 second.constData());
        QVERIFY(client.send("!move " + at.other.toUtf8()));
        const QByteArray third = replyTo("from another address");
        QVERIFY2(third.startsWith("3 ") && third.contains(at.other.toUtf8()), third.constData());
    }
    QCOMPARE(client.close(), std::optional(0));

    const auto ofThis = [&](const QString &event) {
        return m_daemon->waitForEvent(event, [&](const QJsonObject &fields) {
            return fields[QStringLiteral("identity")].toString() == identity;
        });
    };
    const auto closed = ofThis(QStringLiteral("session-closed"));
    QVERIFY(closed);
    QCOMPARE((*closed)[QStringLiteral("reason")].toString(), QStringLiteral("close-notify"));
    QCOMPARE((*closed)[QStringLiteral("cipher")].toString(), name);
    QCOMPARE((*closed)[QStringLiteral("count")].toInt(), idSize >= 0 ? 3 : 1);
    QCOMPARE(ofThis(QStringLiteral("session-opened"))->contains(QStringLiteral("connection_id")),
             idSize >= 0);
    if (idSize >= 0)
        QCOMPARE((*ofThis(QStringLiteral("session-moved")))[QStringLiteral("path")].toString(),
                 QStringLiteral("not-proved"));
}

QTEST_GUILESS_MAIN(TestMobility)

#include "tst_mobility.moc"
