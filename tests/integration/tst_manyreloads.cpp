// SPDX-License-Identifier: Apache-2.0
//
// A thousand reloads through the control socket while two hundred devices talk: none of those that
// did not change notices, and the memory stays what it was.
#include "support/ControlPeer.h"
#include "support/DaemonLog.h"
#include "support/DaemonProcess.h"
#include "support/HonestFleet.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int reloads = 100;
constexpr int devices = 50;
#else
constexpr int reloads = 1000;
constexpr int devices = 200;
#endif
constexpr int settled = reloads / 10; // what the allocator keeps is there by then

/// One of eight: another's reply, an identity more or less, another's next_key. The devices' own
/// section is the same in all.
QByteArray config(int number)
{
    QByteArray text = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n"
                      "[psk]\nfile =\n"
                      "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n"
                      "[identity second]\nkey = text:BBBBBBBBBBBBBBBB\n";
    text += number % 2 == 0 ? "reply = ack\n" : "reply = none\n";
    if (number % 4 < 2)
        text += "[identity third]\nkey = text:CCCCCCCCCCCCCCCC\n";
    text += "[identity fourth]\nkey = text:DDDDDDDDDDDDDDDD\n";
    if (number % 8 < 4)
        text += "next_key = text:EEEEEEEEEEEEEEEE\n";
    return text;
}

} // namespace

class TestManyReloads : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void unchangedDevicesNoticeNothing();
};

void TestManyReloads::unchangedDevicesNoticeNothing()
{
    DaemonProcess daemon(config(0));
    DaemonLog log(daemon);
    QVERIFY2(log.start(), qPrintable(daemon.errorText()));
    HonestFleet fleet(devices,
                      {.identity = "dev", .key = PskKey(QByteArray(16, 'A')), .ciphers = {}});
    QVERIFY(fleet.start(log.address()));
    const ProcessUsage usage(daemon.process().processId());
    const qsizetype descriptors = usage.descriptors();

    qint64 memory = 0;
    for (int i = 1; i <= reloads; ++i) {
        daemon.setConfig(config(i));
        const QJsonObject answer =
            ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"reload\"}");
        QVERIFY(answer.value(QStringLiteral("ok")).toBool());
        QCOMPARE(answer.value(QStringLiteral("revoked")).toInt(-1), 0);
        QVERIFY(!answer.value(QStringLiteral("message")).toString().endsWith(u"nothing changed"));
        if (i == settled)
            memory = usage.memory();
    }
    const qint64 memoryAfter = usage.memory();
    const QJsonObject status = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}");
    QCOMPARE(status.value(QStringLiteral("reloads")).toObject(),
             (QJsonObject{{QStringLiteral("applied"), reloads},
                          {QStringLiteral("rejected"), 0},
                          {QStringLiteral("last"), QStringLiteral("applied")}}));
    QCOMPARE(status.value(QStringLiteral("sessions")).toInt(), devices);

    QVERIFY(fleet.goRound());
    QVERIFY(fleet.settle());
    QCOMPARE(fleet.failures(), 0);
    QCOMPARE(fleet.answered(), fleet.asked());
    for (const QByteArray &message : fleet.messages())
        QVERIFY2(log.payloads().contains(message), message.constData());
    QCOMPARE(log.events(QStringLiteral("session-opened")).size(), devices);
    QVERIFY(log.events(QStringLiteral("session-closed")).isEmpty());
    QCOMPARE(log.events(QStringLiteral("reloaded")).size(), reloads);
    qInfo("%d reloads, %d messages of %d devices with receipts, the longest wait %lld ms; %lld KiB "
          "after %d reloads, %lld KiB after all",
          reloads, fleet.answered(), devices, static_cast<long long>(fleet.longestWait()),
          static_cast<long long>(memory), settled, static_cast<long long>(memoryAfter));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which keep what was freed
    QVERIFY(memoryAfter < memory + 4096);
#endif
    QCOMPARE(usage.descriptors(), descriptors);
    QCOMPARE(daemon.stop(), 0);
    QCOMPARE(log.events(QStringLiteral("session-closed")).size(), devices);
    QVERIFY(log.events(QStringLiteral("entries-dropped")).isEmpty());
    QVERIFY(log.strayLines().isEmpty());
}

DTLSD_TEST(TestManyReloads)
#include "tst_manyreloads.moc"
