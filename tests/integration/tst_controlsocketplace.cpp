// SPDX-License-Identifier: Apache-2.0
//
// Where the control socket of the running daemon lies, and who may use it.
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/HonestFleet.h"
#include "support/JsonFields.h"
#include "support/TestProgram.h"
#include "support/TwoDevices.h"

#include <QDir>
#include <QFile>

#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

class TestControlSocketPlace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void othersAreForbidden();
    void theSocketOfADeadDaemonIsReplaced();
    void anUnusablePlaceIsWarnedAbout_data();
    void anUnusablePlaceIsWarnedAbout();
    void noSocketIsWanted();
};

void TestControlSocketPlace::othersAreForbidden()
{
    if (geteuid() != 0)
        QSKIP("other users take root");
    constexpr gid_t ours = 23'456;
    constexpr uid_t stranger = 34'567;
    DaemonProcess daemon(echoingTwoDevices());
    daemon.runBy(
        {QStringLiteral("setpriv"),
         {QStringLiteral("--regid"), QString::number(ours), QStringLiteral("--clear-groups")}});
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const QString path = daemon.controlSocket();
    QCOMPARE(chmod(QFile::encodeName(daemon.directory()).constData(), 0711), 0);
    const auto askAs = [&](const ControlPeer::User &user) {
        ControlPeer client(path, user);
        client.send("{\"command\":\"health\"}\n");
        return ControlPeer::parse(client.readAll()).value(0);
    };

    QVERIFY(isOk(askAs({stranger, stranger, {1, 2, ours}})));
    QVERIFY(isOk(askAs({stranger, ours, {}})));
    QVERIFY(!ControlPeer(path, {stranger, stranger, {0}}).isConnected()); // its mode is 0660
    QCOMPARE(chmod(QFile::encodeName(path).constData(), 0666), 0);
    QCOMPARE(askAs({stranger, stranger, {0}}),
             (QJsonObject{{QStringLiteral("ok"), false},
                          {QStringLiteral("code"), QStringLiteral("forbidden")},
                          {QStringLiteral("error"),
                           QStringLiteral("this is for root and for the group of dtlsd")}}));
    QVERIFY(isOk(askAs({0, 0, {}})));
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocketPlace::theSocketOfADeadDaemonIsReplaced()
{
    DaemonProcess dead(echoingTwoDevices());
    QVERIFY2(dead.start(), qPrintable(dead.errorText()));
    const QByteArray place =
        echoingTwoDevices("[control]\nsocket = " + QFile::encodeName(dead.controlSocket()) + '\n');
    DaemonProcess tooMany(place);
    QVERIFY2(tooMany.start(), qPrintable(tooMany.errorText()));
    const auto warning = tooMany.waitForEvent(QStringLiteral("configuration-warning"));
    QVERIFY(warning);
    QCOMPARE(text(*warning, "message"),
             QStringLiteral("%1: [control] socket: another process listens at %2; dtlsctl cannot "
                            "reach this dtlsd")
                 .arg(tooMany.configFile(), dead.controlSocket()));
    QCOMPARE(tooMany.stop(), 0);
    const QByteArray status = "{\"command\":\"status\"}";
    QCOMPARE(number(ControlPeer::ask(dead.controlSocket(), status), "pid"),
             dead.process().processId());

    dead.process().kill();
    QVERIFY(dead.process().waitForEnd());
    QVERIFY(QFile::exists(dead.controlSocket()));
    DaemonProcess successor(place);
    QVERIFY2(successor.start(), qPrintable(successor.errorText()));
    QCOMPARE(number(ControlPeer::ask(dead.controlSocket(), status), "pid"),
             successor.process().processId());
    QVERIFY(successor.events(QStringLiteral("configuration-warning")).isEmpty());
    QCOMPARE(successor.stop(), 0);
}

void TestControlSocketPlace::anUnusablePlaceIsWarnedAbout_data()
{
    QTest::addColumn<QString>("path"); // below the daemon's folder
    QTest::addColumn<QString>("warning");
    QTest::newRow("a folder that is missing is made")
        << QStringLiteral("run/control.sock") << QString();
    QTest::newRow("a file is left alone")
        << QStringLiteral("dtlsd.ini") << QStringLiteral("%1 is there already, and no socket");
    QTest::newRow("a file is no folder")
        << QStringLiteral("dtlsd.ini/control.sock") << QStringLiteral("cannot listen at %1: ");
    QTest::newRow("two folders are not made")
        << QStringLiteral("run/dtlsd/control.sock") << QStringLiteral("cannot listen at %1: ");
}

void TestControlSocketPlace::anUnusablePlaceIsWarnedAbout()
{
    QFETCH(QString, path);
    QFETCH(QString, warning);
    DaemonProcess daemon(echoingTwoDevices());
    const QString place = QDir(daemon.directory()).filePath(path);
    const QByteArray config =
        echoingTwoDevices("[control]\nsocket = " + QFile::encodeName(place) + '\n');
    daemon.setConfig(config);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(1, dev());
    QVERIFY(fleet.start(daemon.addresses().constFirst()));
    QVERIFY(fleet.goRound());
    const auto warnings = daemon.events(QStringLiteral("configuration-warning"));
    QCOMPARE(warnings.size(), warning.isEmpty() ? 0 : 1);
    if (warning.isEmpty()) {
        QVERIFY(isOk(ControlPeer::ask(place, "{\"command\":\"health\"}")));
    } else {
        const QString message = text(warnings[0], "message");
        QVERIFY2(message.startsWith(QStringLiteral("%1: [control] socket: %2")
                                        .arg(daemon.configFile(), warning.arg(place))),
                 qPrintable(message));
        QVERIFY(message.endsWith(QStringLiteral("; dtlsctl cannot reach this dtlsd")));
    }
    QFile file(daemon.configFile());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), config);
    QCOMPARE(daemon.stop(), 0);
}

void TestControlSocketPlace::noSocketIsWanted()
{
    DaemonProcess daemon(echoingTwoDevices("[control]\nsocket =\n"));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(!QFile::exists(daemon.controlSocket()));
    QVERIFY(daemon.events(QStringLiteral("configuration-warning")).isEmpty());
    QCOMPARE(daemon.stop(), 0);
}

DTLSD_TEST(TestControlSocketPlace)
#include "tst_controlsocketplace.moc"
