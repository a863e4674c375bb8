// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

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

void sendWhileNobodyReads(EventStage &stage)
{
    stage.daemon().process().sendSignal(SIGSTOP);
    for (int i = 0; i < 1000; ++i)
        stage.throwIn(QByteArray(1000, 'x'));
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
