// SPDX-License-Identifier: Apache-2.0
//
// Every event, as it is in the journal and in JSON lines once it has happened: MESSAGE_ID,
// priority, wording, and the whole set of its fields.
#include "EventScene.h"
#include "support/TestProgram.h"

#include "events/EventLog.h"
#include "support/JournalInstance.h"

#include <QHash>
#include <QSet>

#include <algorithm>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

struct Mark
{
    QByteArray messageId;
    QByteArray priority;
};

// What operators filter by, written down a second time: it never changes.
const QHash<QByteArray, Mark> marks{
    {"started", {"4f7cadc1a03848c7ac4d417f1fb8f0d2", "5"}},
    {"sessions-lost", {"c1224d35a8db4189ac2b26e66a26302a", "4"}},
    {"stopping", {"fbf8b8c61b1a40c58b82ecc682da8512", "5"}},
    {"reloaded", {"560e07700cdc4ad7b2a593daa2b0fe9b", "5"}},
    {"reload-rejected", {"f89df71487074acda91a38e54bf08889", "3"}},
    {"listen-failed", {"7189f00f333f4a3fb8d9ace117907633", "3"}},
    {"configuration-warning", {"7187ad447dc94929a8c31612df49292c", "4"}},
    {"handshake-started", {"88d8d8d4cf704aeead22dd9f3422c237", "7"}},
    {"handshake-failed", {"3690a0803cdd4ff58ce0207a88a8693b", "4"}},
    {"session-opened", {"cc88e034c7f346358968c1298ce41b01", "6"}},
    {"session-closed", {"25c6d8575c5e46b0b06212a095801fe5", "6"}},
    {"datagram-received", {"78ffa1ce448c4c8db944f0c092889e8b", "6"}},
    {"peer-misbehaving", {"8654a2e39c80490d8585a1e60d643d80", "4"}},
    {"identity-limited", {"cf7b2d1be4f84ea3a1c4be83b1fc3c59", "4"}},
    {"reply-dropped", {"974210c361734ddc987478cc8ca4f768", "4"}},
    {"service-unreachable", {"ec413627c6f54bee91eda03ef1e82218", "4"}},
    {"service-reachable", {"4c9628a6b0cb437e80923d4a3fea068c", "5"}},
    {"unverified-traffic", {"1fc1882f3ecb4050a5543d3f1eae9b96", "4"}},
    {"entries-dropped", {"506c63730c434945b2e0206d9a87f7c6", "4"}},
    {"statistics", {"e135c23185ef404ab243e105d7a0980d", "6"}},
};

EventScenes allScenes()
{
    EventScenes scenes;
    for (const EventScenes &theme :
         {daemonScenes(), serviceScenes(), sessionScenes(), failureScenes(), strangerScenes()})
        scenes.insert(scenes.end(), theme.begin(), theme.end());
    return scenes;
}

} // namespace

class TestEvents : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void everyEventHasAScene();
    void anEventIsLoggedAsItHappened_data();
    void anEventIsLoggedAsItHappened();
    void whatIsBelowTheLevelIsNotLogged();

private:
    [[nodiscard]] static bool isSkipped(QString *why);
    /// nullptr: the log is JSON lines.
    JournalInstance *journal();

    std::unique_ptr<JournalInstance> m_journal; // of all scenes: their processes differ
};

void TestEvents::initTestCase_data()
{
    QTest::addColumn<bool>("inTheJournal");
    QTest::newRow("in the journal") << true;
    QTest::newRow("in JSON") << false;
}

void TestEvents::everyEventHasAScene()
{
    QSet<QByteArray> events;
    for (const EventScene &scene : allScenes())
        events += scene.event;
    // These have tests of their own: tst_journalfaults, those of kept sessions and, without Qt's
    // backend, tst_moving.
    events += EventLog::kindOf(Verifiability{}).name;
    events += EventLog::kindOf(SessionsLost{}).name;
    events += EventLog::kindOf(SessionMoved{}).name;
    for (const EventKind &kind : EventLog::kinds())
        QVERIFY2(events.contains(kind.name), kind.name);
}

void TestEvents::anEventIsLoggedAsItHappened_data()
{
    QTest::addColumn<EventScene>("scene");
    for (const EventScene &scene : allScenes())
        QTest::newRow(scene.sentence) << scene;
}

bool TestEvents::isSkipped(QString *why)
{
    QFETCH_GLOBAL(bool, inTheJournal);
    return inTheJournal && !JournalInstance::isAvailable(why);
}

JournalInstance *TestEvents::journal()
{
    QFETCH_GLOBAL(bool, inTheJournal);
    if (!inTheJournal)
        return nullptr;
    if (!m_journal) {
        m_journal = std::make_unique<JournalInstance>();
        if (!m_journal->start())
            qFatal("%s", qPrintable(m_journal->errorText()));
    }
    return m_journal.get();
}

void TestEvents::anEventIsLoggedAsItHappened()
{
    QFETCH(EventScene, scene);
    if (QString why; isSkipped(&why))
        QSKIP(qPrintable(why));
    EventStage stage(scene.settings, journal());
    stage.start();
    if (!QTest::currentTestFailed())
        scene.play(stage);
    if (QTest::currentTestFailed())
        return;

    const Mark mark = marks.value(scene.event);
    scene.expected.insert(
        {{"event", scene.event}, {"message_id", mark.messageId}, {"priority", mark.priority}});
    if (stage.journal()) // JournalSink's mark
        scene.expected.insert("run", "<[0-9a-f]{32}>");
    const auto isExpected = [&](QJsonObject event) {
        event.remove(QStringLiteral("nonce")); // JournalSink's, where it has to learn
        return differences(fieldsOf(event), scene.expected, stage.facts()).isEmpty();
    };
    const QString name = QLatin1String(scene.event);
    const auto found = stage.log().waitForEvent(name, isExpected);
    stage.stop();
    const QList<QJsonObject> events = stage.log().events(name);
    for (const QJsonObject &other : found ? QList<QJsonObject>() : events)
        qWarning() << differences(fieldsOf(other), scene.expected, stage.facts());
    QVERIFY(found);
    if (!scene.isRepeated)
        QCOMPARE(std::count_if(events.begin(), events.end(), isExpected), 1);
    if (!stage.journal())
        QCOMPARE(wronglyTyped(*found), QStringList());
    QCOMPARE(stage.daemon().strayLines(), QList<QByteArray>());
}

void TestEvents::whatIsBelowTheLevelIsNotLogged()
{
    if (QString why; isSkipped(&why))
        QSKIP(qPrintable(why));
    EventStage stage({.level = "notice"}, journal());
    stage.start();
    if (QTest::currentTestFailed())
        return;
    DtlsClient &device = stage.connectDevice();
    stage.exchange(device, "not logged");
    device.close();
    DtlsClient::Options refused = EventStage::sensor(); // at once, so that it repeats nothing
    refused.ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0")).value();
    stage.knock(refused);
    QVERIFY(stage.log().waitForEvent(QStringLiteral("handshake-failed")));
    stage.stop();

    QStringList logged;
    for (const EventKind &kind : EventLog::kinds()) {
        if (!stage.log().events(QLatin1String(kind.name)).isEmpty())
            logged << QLatin1String(kind.name);
    }
    QCOMPARE(logged, (QStringList{QStringLiteral("started"), QStringLiteral("stopping"),
                                  QStringLiteral("handshake-failed")}));
}

DTLSD_TEST(TestEvents)
#include "tst_events.moc"
