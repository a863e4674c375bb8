// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

#include "support/ClientProcess.h"

#include <QTest>

#include <signal.h>

namespace dtlsd::test {

namespace {

const QByteArray nextKey = QByteArray(16, 'n');

/// Twice, if need be: after a Finished that fails with one key, the server tries the other with the
/// same port.
void connectWithNextKey(EventStage &stage)
{
    const DtlsClient::Options options = EventStage::sensor("rotating", nextKey);
    const DtlsClient &first = stage.knock(options);
    const auto isDecided = [&] {
        return first.isConnected() ||
               !stage.daemon().events(QStringLiteral("handshake-failed")).isEmpty();
    };
    QVERIFY(waitUntil(isDecided, QDeadlineTimer(patience)));
    if (first.isConnected())
        return;
    const std::uint16_t port = first.localAddress().port();
    stage.forget(first);
    stage.knock(options, port);
}

EventScenes openings()
{
    const QByteArray opened = who + "session opened with {cipher}";
    const QByteArray took = " in " + someTime;
    return {
        {.sentence = "a handshake starts",
         .play = [](EventStage &stage) { stage.connectDevice(); },
         .event = "handshake-started",
         .expected = ofAPeer({{"message", "127.0.0.1:{peer_port}: handshake started"}})},
        {.sentence = "a session opens",
         .play = [](EventStage &stage) { stage.connectDevice(); },
         .event = "session-opened",
         .expected = ofASession({{"message", opened + took}, {"duration_usec", "<[1-9]\\d*>"}})},
        {.sentence = "a session opens with the next key",
         .settings = {.limits = "handshake_timeout = 3s", // of the one with the first key
                      .identities = "[identity rotating]\nkey = hex:" + hexKey +
                                    "\nnext_key = hex:" + nextKey.toHex() + '\n'},
         .play = connectWithNextKey,
         .event = "session-opened",
         .expected = ofASession({{"message", opened + " and next_key" + took},
                                 {"identity", "rotating"},
                                 {"peer_port", "<\\d+>"},
                                 {"duration_usec", "<[1-9]\\d*>"}})},
    };
}

EventScene saying(const QByteArray &sentence, const QByteArray &payload, const QByteArray &log,
                  const QByteArray &shown, const Fields &more)
{
    EventScene scene{
        .sentence = sentence,
        .settings = {.log = log},
        .play = [payload](EventStage &stage) { stage.exchange(stage.connectDevice(), payload); },
        .event = "datagram-received",
        .expected = ofASession({{"message", who + shown},
                                {"sequence", "1"},
                                {"payload_size", QByteArray::number(payload.size())}})};
    scene.expected.insert(more);
    return scene;
}

EventScenes datagrams()
{
    const QByteArray text = "temperature=21.5";
    const QByteArray bytes = QByteArray::fromHex("000a1b5b324aff22");
    const QByteArray muchText(16'384, 'k');
    const QByteArray muchElse(16'384, '\xfe');
    const QByteArray asItCame = "17fefd0001000000000001<[0-9a-f]{4}(?:[0-9a-f]{2})+>";
    return {
        saying("a device says a line of text", text, {}, text, {{"payload", text}}),
        saying("a device says what is no text", bytes, {}, R"(\x00\x0a\x1b[2J\xff")",
               {{"payload", bytes}}),
        saying("a device says as much as it can", muchText, {}, muchText.first(256) + "…",
               {{"payload", muchText}}),
        saying("a device says as much as it can, and none of it is text", muchElse, {},
               QByteArray("\\xfe").repeated(64) + "…", {{"payload", muchElse}}),
        saying("a message is shown in hex", bytes, "payload = hex", bytes.toHex(),
               {{"payload", bytes}}),
        saying("the largest message is shown in hex", muchElse, "payload = hex",
               QByteArray("fe").repeated(128) + "…", {{"payload", muchElse}}),
        saying("a message is not to be logged", text, "payload = none", "16 bytes", {}),
        saying("a datagram is to be logged as it came", text, "ciphertext = yes", text,
               {{"payload", text}, {"ciphertext", asItCame}}),
    };
}

/// Of a session that has echoed "one" and "more".
EventScene closing(const QByteArray &sentence, const QByteArray &limits,
                   const EventScene::Play &play, const QByteArray &reason, const QByteArray &text)
{
    return {.sentence = sentence,
            .settings = {.limits = limits},
            .play = play,
            .event = "session-closed",
            .expected = ofASession({{"message", who + "session closed after " + someTime +
                                                    ", 2 datagrams (7 bytes) received, 2 datagrams "
                                                    "(7 bytes) sent: " +
                                                    text},
                                    {"reason", reason},
                                    {"duration_usec", "<[1-9]\\d*>"},
                                    {"count", "2"},
                                    {"received_datagrams", "2"},
                                    {"received_bytes", "7"},
                                    {"sent_datagrams", "2"},
                                    {"sent_bytes", "7"}})};
}

DtlsClient &talk(EventStage &stage)
{
    DtlsClient &device = stage.connectDevice();
    stage.exchange(device, "one");
    stage.exchange(device, "more");
    return device;
}

void comeBackOnTheSamePort(EventStage &stage)
{
    const DtlsClient &device = talk(stage);
    const std::uint16_t port = device.localAddress().port();
    stage.forget(device);
    stage.connectDevice(port);
}

void evictTheOldest(EventStage &stage)
{
    talk(stage);
    stage.connectDevice();
}

void stopWhileTalking(EventStage &stage)
{
    talk(stage);
    stage.stop();
}

void revoke(EventStage &stage)
{
    talk(stage);
    stage.daemon().setConfig("[server]\nlisten = " + stage.server().toString().toUtf8() +
                             "\n[psk]\nfile =\n[identity other]\nkey = hex:" + hexKey + '\n');
    stage.daemon().process().sendSignal(SIGHUP);
}

/// The daemon finds both at the same time, however busy the machine is.
void sendTwoAtOnce(EventStage &stage)
{
    DtlsClient &device = stage.connectDevice();
    stage.daemon().process().sendSignal(SIGSTOP);
    const bool areSent = device.send("one") && device.send("more");
    stage.daemon().process().sendSignal(SIGCONT);
    QVERIFY(areSent);
}

/// s_client sends one when it is refused a renegotiation.
void sendFatalAlert(EventStage &stage)
{
    ClientProcess device({.kind = ClientProcess::Kind::OpenSsl,
                          .server = stage.server(),
                          .identity = QStringLiteral("sensor-17"),
                          .key = testKey,
                          .cipher = QLatin1String(EventStage::cipher),
                          .arguments = {}});
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    QVERIFY(device.process().write("R\n") > 0);
    QVERIFY(stage.daemon().waitForEvent(QStringLiteral("session-closed")));
}

/// With the smallest max_fragment_length.
void getALongReply(EventStage &stage)
{
    ClientProcess device({.kind = ClientProcess::Kind::OpenSsl,
                          .server = stage.server(),
                          .identity = QStringLiteral("talker"),
                          .key = testKey,
                          .cipher = QLatin1String(EventStage::cipher),
                          .arguments = {QStringLiteral("-maxfraglen"), QStringLiteral("512")}});
    QVERIFY2(device.connectToServer(), qPrintable(device.errorText()));
    QVERIFY(device.process().write("x\n") > 0);
    QVERIFY(stage.daemon().waitForEvent(QStringLiteral("reply-dropped")));
}

EventScene droppedReply()
{
    return {.sentence = "a reply is longer than the device takes",
            .settings = {.identities = "[identity talker]\nreply = " + QByteArray(600, 'r') +
                                       "\nkey = hex:" + hexKey + '\n'},
            .play = getALongReply,
            .event = "reply-dropped",
            .expected = ofASession(
                {{"message", "talker (127.0.0.1:{peer_port}): 1 reply not sent: of 600 bytes, and "
                             "the device takes 512 at most (max_fragment_length); make its reply, "
                             "or its service's answer, shorter"},
                 {"identity", "talker"},
                 {"peer_port", "<\\d+>"},
                 {"count", "1"}})};
}

EventScenes closings()
{
    EventScene broken = closing("a device sends a fatal alert", {}, sendFatalAlert, "alert", {});
    broken.expected.insert({{"message", who + "session closed after " + someTime +
                                            ", 0 datagrams (0 bytes) received, 0 datagrams (0 "
                                            "bytes) sent: the device ended it with an alert: "
                                            "handshake_failure (40)"},
                            {"alert", "handshake_failure (40)"},
                            {"peer_port", "<\\d+>"},
                            {"count", "0"},
                            {"received_datagrams", "0"},
                            {"received_bytes", "0"},
                            {"sent_datagrams", "0"},
                            {"sent_bytes", "0"}});
    return {
        closing(
            "a device says goodbye", {}, [](EventStage &stage) { talk(stage).close(); },
            "close-notify", "the device closed it"),
        closing(
            "a device is silent for too long", "idle_timeout = 3s",
            [](EventStage &stage) { talk(stage); }, "idle", "idle for too long"),
        closing("a device comes back on the same port", {}, comeBackOnTheSamePort, "replaced",
                "the device has begun a new one"),
        closing("a session makes room for another", "max_sessions = 1", evictTheOldest, "evicted",
                "its identity had the most sessions when a limit was reached"),
        closing(
            "a session has lasted long enough", "session_lifetime = 4s",
            [](EventStage &stage) { talk(stage); }, "lifetime", "it was open for session_lifetime"),
        {.sentence = "a device sends more than it may",
         .settings = {.limits = "datagrams_per_second = 1"},
         .play = sendTwoAtOnce,
         .event = "identity-limited",
         .expected = {{"message", "sensor-17: 1 datagram dropped, over datagrams_per_second = 1; "
                                  "they are neither logged nor acknowledged"},
                      {"identity", "sensor-17"},
                      {"count", "1"}}},
        closing("the daemon stops under a session", {}, stopWhileTalking, "shutdown",
                "dtlsd no longer serves it there"),
        closing("a reload takes the identity away", {}, revoke, "revoked",
                "the configuration no longer admits it"),
        broken,
        droppedReply(),
    };
}

} // namespace

EventScenes sessionScenes()
{
    EventScenes scenes = openings();
    for (const EventScenes &more : {datagrams(), closings()})
        scenes.insert(scenes.end(), more.begin(), more.end());
    return scenes;
}

} // namespace dtlsd::test
