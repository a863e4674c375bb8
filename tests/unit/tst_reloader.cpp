// SPDX-License-Identifier: Apache-2.0
//
// Reloads one after the other(), heard of by every worker or rejected.
#include "app/Reloader.h"
#include "support/PoolStage.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

class TestReloader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSecondReloadWaitsAndThoseThatWaitAreOne();
    void aReloadThatAWorkerCannotHearOfIsRejected();
    void noReloadBeginsWhileItStops();
};

void TestReloader::aSecondReloadWaitsAndThoseThatWaitAreOne()
{
    PoolStage stage;
    QVERIFY(stage.isListening && stage.open(3, dev()));
    QStringList loaded;
    QByteArray ini = plain;
    Listener listener;
    Reloader reloader({[&] {
                           listener.heard += QStringLiteral("loads");
                           return stage.folder.load(ini);
                       },
                       stage.putInForce(), listener.hearOutcome(QStringLiteral("concluded"))},
                      stage.config, stage.pool);
    reloader.reload(listener.hearOutcome(QStringLiteral("first")));
    reloader.reload(listener.hearOutcome(QStringLiteral("second")));
    ini = withoutDev;
    reloader.reload();
    reloader.reload(listener.hearOutcome(QStringLiteral("third")));
    QCOMPARE(listener.heard, QStringList{QStringLiteral("loads")});
    // The state of the workers is told meanwhile.
    bool isToldInTime = false;
    stage.pool.states([&](const auto &) { isToldInTime = listener.heard.size() == 1; });
    QVERIFY(listener.waitFor(7));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("loads"), QStringLiteral("concluded"),
                                          QStringLiteral("first"), QStringLiteral("loads"),
                                          QStringLiteral("concluded"), QStringLiteral("second"),
                                          QStringLiteral("third")}));
    QVERIFY(isToldInTime);
    QCOMPARE(stage.config.settings.identities->size(), 1);
    QVERIFY(waitUntil([&] { return !stage.devices[0]->isConnected(); }, QDeadlineTimer(patience)));
}

void TestReloader::aReloadThatAWorkerCannotHearOfIsRejected()
{
    PoolStage stage(1s);
    QVERIFY(stage.isListening);
    Listener listener;
    Reloader reloader({[&] { return stage.folder.load(withoutDev); }, stage.putInForce(),
                       listener.hearOutcome(QStringLiteral("concluded"))},
                      stage.config, stage.pool);
    HungWorker hung(stage.pool, QStringLiteral("worker-1"));
    reloader.reload();
    QVERIFY(listener.waitFor(1));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("concluded: worker 1 does not answer"));
    QCOMPARE(stage.config.settings.identities->size(), 2);
    hung.release();
    reloader.reload();
    QVERIFY(listener.waitFor(2));
    QCOMPARE(listener.heard.constLast(), QStringLiteral("concluded"));
    QCOMPARE(stage.config.settings.identities->size(), 1);
}

void TestReloader::noReloadBeginsWhileItStops()
{
    PoolStage stage;
    QVERIFY(stage.isListening);
    Listener listener;
    Reloader reloader({[&] { return stage.folder.load(withoutDev); }, stage.putInForce(),
                       listener.hearOutcome(QStringLiteral("concluded"))},
                      stage.config, stage.pool);
    reloader.reload(listener.hearOutcome(QStringLiteral("first")));
    reloader.reload(listener.hearOutcome(QStringLiteral("second")));
    reloader.stop();
    reloader.reload(listener.hearOutcome(QStringLiteral("third")));
    QCOMPARE(listener.heard, (QStringList{QStringLiteral("second: dtlsd is stopping"),
                                          QStringLiteral("third: dtlsd is stopping")}));
    QVERIFY(listener.waitFor(4));
    QCOMPARE(listener.heard[2], QStringLiteral("concluded"));
    QCOMPARE(listener.heard[3], QStringLiteral("first"));
}

DTLSD_TEST(TestReloader)
#include "tst_reloader.moc"
