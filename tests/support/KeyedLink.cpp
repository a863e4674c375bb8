// SPDX-License-Identifier: Apache-2.0
#include "support/KeyedLink.h"

#include <QNetworkDatagram>

#include <utility>

namespace dtlsd::test {

namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr int mostTicks = 300; // of a handshake

} // namespace

KeyedLink::KeyedLink(KeyedClient::Options options)
    : m_client(std::move(options))
{
    connect(&m_socket, &QUdpSocket::readyRead, this, &KeyedLink::read);
    connect(&m_ticks, &QTimer::timeout, this, [this, left = mostTicks]() mutable {
        if (m_isConnected)
            m_ticks.stop();
        else if (--left > 0)
            sendAll();
        else
            Q_EMIT ended(QStringLiteral("the handshake takes too long"));
    });
}

void KeyedLink::start(const SocketAddress &server)
{
    moveTo(server);
    m_ticks.start(tick);
    sendAll();
}

void KeyedLink::moveTo(const SocketAddress &server)
{
    m_socket.abort();
    m_socket.connectToHost(server.address(), server.port());
}

void KeyedLink::sendAll()
{
    for (const QByteArray &datagram : m_client.takeSent())
        m_socket.write(datagram);
}

void KeyedLink::read()
{
    while (m_socket.hasPendingDatagrams()) {
        m_client.take(m_socket.receiveDatagram().data());
        sendAll();
    }
    if (!m_isConnected && m_client.isConnected()) {
        m_isConnected = true;
        Q_EMIT connected();
    }
    for (const QByteArray &reply : std::exchange(m_client.received, {}))
        Q_EMIT received(reply);
    if (!std::exchange(m_client.alerts, {}).empty())
        Q_EMIT ended(QStringLiteral("an alert has come"));
}

void KeyedLink::send(const QByteArray &message)
{
    m_socket.write(m_client.seal(message));
}

void KeyedLink::close()
{
    m_socket.write(m_client.seal(ContentType::Alert, QByteArray::fromHex("0100")));
}

} // namespace dtlsd::test
