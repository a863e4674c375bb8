// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

#include "support/ClientProcess.h"

#include <QTest>

namespace dtlsd::test {

namespace {

/// A ClientKeyExchange with an identity longer than any may be.
QByteArray endlessKeyExchange()
{
    const QByteArray body = QByteArray::fromHex("0101") + QByteArray(257, 'i');
    return QByteArray::fromHex("16fefd0000000000000003010f"
                               "100001030002000000000103") +
           body;
}

void breakTheProtocol(EventStage &stage)
{
    QUdpSocket &peer = stage.helloByHand();
    peer.writeDatagram(endlessKeyExchange(), stage.server().address(), stage.server().port());
}

void makeRoom(EventStage &stage)
{
    stage.helloByHand();
    stage.helloByHand();
}

void knockWithAnotherSuite(EventStage &stage)
{
    DtlsClient::Options constrained = EventStage::sensor();
    constrained.ciphers =
        CipherPolicy::parse(QStringLiteral("PSK-AES128-CCM8:@SECLEVEL=0")).value();
    stage.knock(constrained);
}

void knockWithAnotherVersion(EventStage &stage)
{
    ClientProcess device({.kind = ClientProcess::Kind::OpenSsl,
                          .server = stage.server(),
                          .identity = QStringLiteral("sensor-17"),
                          .key = testKey,
                          .cipher = QStringLiteral("PSK-AES128-CBC-SHA:@SECLEVEL=0"),
                          .protocol = QStringLiteral("-dtls1"),
                          .arguments = {}});
    QVERIFY(device.launch());
    QVERIFY(stage.daemon().waitForEvent(QStringLiteral("handshake-failed")));
}

/// Some fail only when their time is up, which is short here.
EventScene failing(const QByteArray &sentence, EventStage::Settings settings,
                   const EventScene::Play &play, const QByteArray &reason, const QByteArray &text)
{
    if (!settings.limits.contains("handshake_timeout"))
        settings.limits += "\nhandshake_timeout = 3s";
    return {.sentence = sentence,
            .settings = settings,
            .play = play,
            .event = "handshake-failed",
            .expected = ofAPeer({{"message", "127.0.0.1:{peer_port}: handshake failed: " + text},
                                 {"reason", reason}})};
}

/// Of a peer that has named its identity before.
EventScene failing(const QByteArray &sentence, const QByteArray &identity, const QByteArray &key,
                   const QByteArray &reason, const QByteArray &text)
{
    EventScene scene = failing(
        sentence,
        {.identities = "[identity elsewhere]\nallow_from = 10.0.0.0/8\nkey = hex:" + hexKey + '\n'},
        [=](EventStage &stage) { stage.knock(EventStage::sensor(identity, key)); }, reason, text);
    scene.expected.insert(
        {{"message",
          "127.0.0.1:{peer_port}, claiming to be {claimed_identity}: handshake failed: " + text},
         {"claimed_identity", identity}});
    return scene;
}

} // namespace

EventScenes failureScenes()
{
    EventScene outdated =
        failing("a device speaks DTLS 1.0", {}, knockWithAnotherVersion, "protocol-version",
                "the peer does not speak DTLS 1.2; if the device is yours, update it");
    outdated.expected.insert("peer_port", "<\\d+>");
    return {
        failing("a device has another key", "sensor-17", QByteArray(16, 'w'), "wrong-key-or-loss",
                "the key on the device is not ours, or datagrams were lost; compare the device's "
                "key with dtlsd --show-config"),
        failing("a device is unknown", "sensor-18", testKey, "unknown-identity",
                "no such identity is configured; if the device is yours, add it"),
        failing("a device is in a foreign network", "elsewhere", testKey, "address-not-allowed",
                "allow_from does not admit this address; if the device has moved, extend it"),
        failing("a device has none of our cipher suites", {}, knockWithAnotherSuite,
                "no-shared-cipher",
                "the peer offers no cipher suite of [tls] ciphers: PSK-AES128-CCM8; set ciphers = "
                "iot, which has PSK-AES128-CCM8"),
        outdated,
        failing(
            "a peer falls silent", {}, [](EventStage &stage) { stage.helloByHand(); }, "timeout",
            "the peer fell silent; if devices often do, try a smaller [tls] mtu"),
        failing("a handshake makes room for another",
                {.limits = "max_half_open = 1\nhandshake_timeout = 20s"}, makeRoom, "limit",
                "its network had the most unfinished handshakes at max_half_open; if the devices "
                "are yours, raise it"),
        failing("a peer breaks the protocol", {}, breakTheProtocol, "error",
                "the peer broke the protocol or gave up; its own log may say why"),
    };
}

} // namespace dtlsd::test
