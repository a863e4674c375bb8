// SPDX-License-Identifier: Apache-2.0
#include "support/KeyedLink.h"

#include <utility>

namespace dtlsd::test {

namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr qsizetype largestDatagram = 65'536;

} // namespace

KeyedLink::KeyedLink(KeyedClient::Options options, std::chrono::milliseconds handshakeTimeout)
    : m_client(std::move(options))
{
    connect(&m_socket, &QUdpSocket::readyRead, this, &KeyedLink::read);
    connect(&m_socket, &QUdpSocket::errorOccurred, this, [this](auto error) {
        if (error == QUdpSocket::ConnectionRefusedError)
            Q_EMIT refused();
    });
    connect(&m_ticks, &QTimer::timeout, this, [this, left = handshakeTimeout / tick]() mutable {
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
    if (!m_address.isNull() && !m_socket.bind(m_address))
        qFatal("no port for a device: %s", qPrintable(m_socket.errorString()));
    m_socket.connectToHost(server.address(), server.port());
}

void KeyedLink::sendAll()
{
    for (const QByteArray &datagram : m_client.takeSent())
        m_socket.write(datagram);
}

void KeyedLink::read()
{
    // hasPendingDatagrams() is false at an ICMP error, and no readyRead() would follow.
    QByteArray room(largestDatagram, Qt::Uninitialized);
    for (;;) {
        const qint64 size = m_socket.readDatagram(room.data(), room.size());
        if (size < 0)
            break;
        m_client.take(room.first(size));
        sendAll();
    }
    if (!m_isConnected && m_client.isConnected()) {
        m_isConnected = true;
        Q_EMIT connected();
    }
    for (const QByteArray &reply : std::exchange(m_client.received, {}))
        Q_EMIT received(reply);
    const auto alerts = std::exchange(m_client.alerts, {});
    if (!alerts.empty())
        Q_EMIT ended(alerts.front().description == AlertDescription::CloseNotify
                         ? closeNotify
                         : QStringLiteral("an alert has come"));
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
