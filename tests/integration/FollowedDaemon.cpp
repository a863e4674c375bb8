// SPDX-License-Identifier: Apache-2.0
#include "FollowedDaemon.h"

#include "core/Escape.h"
#include "dtls/DtlsClient.h"
#include "support/TestKey.h"

#include <QSignalSpy>

#include <algorithm>
#include <iterator>

namespace dtlsd::test {

namespace {

const QByteArray wrongKey(16, 'x');

QByteArray configuration()
{
    QByteArray text = "[server]\nlisten = 127.0.0.1:0, [::1]:0\n"
                      "[limits]\nhandshake_timeout = 1s\n[psk]\nfile =\n";
    for (const QByteArray name : {"sensor-17", "meter-4", "gateway"})
        text += "[identity " + name + "]\nkey = hex:" + hexKey + "\n";
    return text;
}

bool isOf(const QJsonObject &event, const SocketAddress &peer)
{
    return DaemonProcess::number(event[QStringLiteral("peer_port")]) == peer.port();
}

/// The client's socket is bound to a port, and to no address.
SocketAddress peerAddress(const QString &host, const DtlsClient &client)
{
    return SocketAddress(QHostAddress(host), client.localAddress().port());
}

} // namespace

FollowedDaemon::FollowedDaemon(JournalInstance &journal)
    : m_daemon(configuration(), &journal)
{
}

SocketAddress FollowedDaemon::addressFor(const QString &host)
{
    return m_daemon.addresses().value(host.contains(u':') ? 1 : 0);
}

bool FollowedDaemon::send(const SocketAddress &server, const QByteArray &identity,
                          const QList<QByteArray> &payloads, SocketAddress *from)
{
    DtlsClient client({.identity = identity, .key = PskKey(testKey), .ciphers = {}});
    QSignalSpy connected(&client, &DtlsClient::connected);
    QSignalSpy received(&client, &DtlsClient::received);
    if (!client.connectTo(server) || !connected.wait(qtPatience))
        return false;
    if (from)
        *from = peerAddress(QString::fromUtf8(server.addressUtf8()), client);
    for (const QByteArray &payload : payloads) {
        if (!client.send(payload) || !received.wait(qtPatience))
            return false;
    }
    client.close();
    return true;
}

bool FollowedDaemon::talk(const QByteArray &identity, const QString &from,
                          const QList<QByteArray> &payloads)
{
    SocketAddress peer;
    if (!send(addressFor(from), identity, payloads, &peer))
        return false;
    const auto closed =
        m_daemon.waitForEvent(QStringLiteral("session-closed"),
                              [&](const QJsonObject &event) { return isOf(event, peer); });
    if (!closed)
        return false;
    const QString who =
        QStringLiteral("%1 (%2): ").arg(QString::fromUtf8(identity), peer.toString());
    const auto say = [&](const QString &text, const QByteArray &payload) {
        m_said << Said{identity,   from,    closed->value(QStringLiteral("session")).toString(),
                       who + text, payload, false};
    };
    say(QStringLiteral("session opened with "), {});
    for (const QByteArray &payload : payloads)
        say(escaped(payload), payload);
    say(QStringLiteral("session closed after "), {});
    return true;
}

bool FollowedDaemon::intrude(const QByteArray &identity, const QString &from)
{
    // It gives up before it repeats itself, and before the server does: no traffic comes too late.
    DtlsClient client({.identity = identity,
                       .key = PskKey(wrongKey),
                       .ciphers = {},
                       .handshakeTimeout = std::chrono::milliseconds(900)});
    if (!client.connectTo(addressFor(from)))
        return false;
    const SocketAddress peer = peerAddress(from, client);
    if (!m_daemon.waitForEvent(QStringLiteral("handshake-failed"),
                               [&](const QJsonObject &event) { return isOf(event, peer); }))
        return false;
    m_said << Said{identity,
                   from,
                   {},
                   peer.toString() + QStringLiteral(", claiming to be ") + escaped(identity) +
                       QStringLiteral(": handshake failed: "),
                   {},
                   true};
    return true;
}

QList<FollowedDaemon::Said> FollowedDaemon::said(const Which &which) const
{
    QList<Said> result;
    std::copy_if(m_said.cbegin(), m_said.cend(), std::back_inserter(result), which);
    return result;
}

QList<QByteArray> FollowedDaemon::payloads(const Which &which) const
{
    QList<QByteArray> result;
    for (const Said &entry : said(which)) {
        if (!entry.payload.isEmpty())
            result << entry.payload;
    }
    return result;
}

} // namespace dtlsd::test
