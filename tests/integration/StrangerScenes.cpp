// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

#include "support/ChildProcess.h"

#include <QFile>
#include <QTest>

#include <signal.h>

namespace dtlsd::test {

namespace {

/// A record under keys, made by somebody who does not have them.
QByteArray forgedRecord(int number)
{
    return QByteArray::fromHex("17fefd000100000000009900") + '\x28' +
           QByteArray::number(number).rightJustified(40, 'x');
}

void forgeRecords(EventStage &stage)
{
    DtlsClient &device = stage.connectDevice();
    for (int i = 0; i < 4; ++i)
        stage.forge(device, forgedRecord(i));
    stage.exchange(device, "still here");
    device.close();
}

EventScene forging(const QByteArray &sentence, const QByteArray &count, const QByteArray &records)
{
    return {.sentence = sentence,
            .play = forgeRecords,
            .event = "peer-misbehaving",
            .expected = ofASession({{"message", who + records +
                                                    " dropped: forged, repeated or incomplete; if "
                                                    "there are many, look at the path to the "
                                                    "device"},
                                    {"count", count}})};
}

void sendStrayDatagrams(EventStage &stage)
{
    for (int i = 0; i < 3; ++i)
        stage.throwIn("GET / HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 2; ++i)
        stage.throwIn(forgedRecord(i));
    stage.connectDevice(); // when it is there, the others have been seen
    stage.stop();
}

/// What the kernel has dropped of what came to @p port over IPv4.
int droppedAt(quint16 port)
{
    QFile sockets(QStringLiteral("/proc/net/udp"));
    if (!sockets.open(QFile::ReadOnly))
        return 0;
    const QByteArray place = ':' + QByteArray::number(port, 16).toUpper().rightJustified(4, '0');
    int dropped = 0;
    for (const QByteArray &line : sockets.readAll().split('\n')) {
        const QByteArrayList fields = line.simplified().split(' ');
        if (fields.size() > 2 && fields[1].endsWith(place))
            dropped += fields.constLast().toInt();
    }
    return dropped;
}

void sendWhileNobodyReads(EventStage &stage)
{
    stage.daemon().process().sendSignal(SIGSTOP);
    // On a busy machine they arrive later, and some not at all.
    const auto areEnoughDropped = [&] {
        for (int i = 0; i < 50; ++i)
            stage.throwIn(QByteArray(1000, 'x'));
        return droppedAt(stage.server().port()) >= 1000;
    };
    QVERIFY(waitUntil(areEnoughDropped, QDeadlineTimer(patience)));
    stage.daemon().process().sendSignal(SIGCONT);
    stage.connectDevice(); // whose first words may be lost as well
    stage.stop();
}

} // namespace

EventScenes strangerScenes()
{
    return {
        forging("a record for a session is forged", "1", "1 record"),
        forging("further ones are counted until the session ends", "3", "3 records"),
        {.sentence = "strangers send what they like",
         .play = sendStrayDatagrams,
         .event = "unverified-traffic",
         .expected = {{"message", "5 datagrams from unproved sources in " + someTime +
                                      ": 3 not DTLS, 2 for a session that is not there"},
                      {"duration_usec", "<\\d+>"},
                      {"count", "5"}}},
        {.sentence = "more comes than the kernel can keep",
         .settings = {.server = "receive_buffer = 4K"},
         .play = sendWhileNobodyReads,
         .event = "unverified-traffic",
         .expected = {{"message", "{count} datagrams from unproved sources in " + someTime +
                                      ": <\\d+> not DTLS, <\\d+> dropped by the kernel, as the "
                                      "receive buffer was full; raise [server] receive_buffer"},
                      {"duration_usec", "<\\d+>"},
                      {"count", "<1\\d{3}>"}}},
    };
}

} // namespace dtlsd::test
