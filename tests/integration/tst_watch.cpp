// SPDX-License-Identifier: Apache-2.0
//
// A daemon that watches its files reloads when they change, as they do in a cluster.
#include "dtls/DtlsClient.h"
#include "support/ClusterVolume.h"
#include "support/DaemonProcess.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QSignalSpy>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

const QString reloaded = u"reloaded"_s;
const QString rejected = u"reload-rejected"_s;

} // namespace

class TestWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aSecretThatIsUpdatedIsInForce();
    void aWrongSecretIsRejectedOnceAndMendedByTheNext();
    void aConfigurationThatNamesAFileTooSoonWaitsForIt();

private:
    [[nodiscard]] QByteArray configuration(const QString &keyFile) const
    {
        return "[server]\nlisten = 127.0.0.1:0\nworkers = 1\nwatch_interval = 100ms\n[psk]\nfile "
               "= " +
               m_secret->path(keyFile).toUtf8() + '\n';
    }
    bool connects(const QByteArray &identity);

    std::unique_ptr<ClusterVolume> m_secret;
    std::unique_ptr<DaemonProcess> m_daemon;
};

void TestWatch::init()
{
    m_secret = std::make_unique<ClusterVolume>();
    QVERIFY(m_secret->update({{u"psk.txt"_s, "one:" + hexKey}}));
    m_daemon = std::make_unique<DaemonProcess>(configuration(u"psk.txt"_s));
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    QVERIFY(connects("one"));
}

bool TestWatch::connects(const QByteArray &identity)
{
    DtlsClient client(
        {.identity = identity, .key = PskKey(QByteArray::fromHex(hexKey)), .ciphers = {}});
    QSignalSpy connected(&client, &DtlsClient::connected);
    return client.connectTo(m_daemon->addresses().constFirst()) && connected.wait(qtPatience);
}

void TestWatch::aSecretThatIsUpdatedIsInForce()
{
    QVERIFY(m_secret->update({{u"psk.txt"_s, "one:" + hexKey + "\ntwo:" + hexKey}}));
    const auto event = m_daemon->waitForEvent(reloaded);
    QVERIFY(event);
    QVERIFY(event->value(u"message"_s).toString().contains(u"1 identity added (two)"_s));
    QVERIFY(connects("two"));
    QCOMPARE(m_daemon->stop(), 0);
    QCOMPARE(m_daemon->events(reloaded).size(), 1);
}

void TestWatch::aWrongSecretIsRejectedOnceAndMendedByTheNext()
{
    QVERIFY(m_secret->update({{u"psk.txt"_s, "one:too short"}}));
    const auto event = m_daemon->waitForEvent(rejected);
    QVERIFY(event);
    QCOMPARE(DaemonProcess::number(event->value(u"config_line"_s)), 1);
    QVERIFY(connects("one"));
    QVERIFY(m_secret->update({{u"psk.txt"_s, "three:" + hexKey}}));
    QVERIFY(m_daemon->waitForEvent(reloaded));
    QVERIFY(connects("three"));
    QCOMPARE(m_daemon->events(rejected).size(), 1);
    QCOMPARE(m_daemon->stop(), 0);
}

/// The volumes of a ConfigMap and of a Secret are not updated together.
void TestWatch::aConfigurationThatNamesAFileTooSoonWaitsForIt()
{
    m_daemon->setConfig(configuration(u"other.txt"_s));
    QVERIFY(m_daemon->waitForEvent(rejected));
    QVERIFY(
        m_secret->update({{u"psk.txt"_s, "one:" + hexKey}, {u"other.txt"_s, "four:" + hexKey}}));
    QVERIFY(m_daemon->waitForEvent(reloaded));
    QVERIFY(connects("four"));
    QCOMPARE(m_daemon->stop(), 0);
}

DTLSD_TEST(TestWatch)
#include "tst_watch.moc"
