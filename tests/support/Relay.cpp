// SPDX-License-Identifier: Apache-2.0
#include "support/Relay.h"

#include "support/ChildProcess.h"
#include "support/Wiretap.h"

#include <QNetworkDatagram>
#include <QPointer>

#include <utility>

namespace dtlsd::test {

Relay::Relay(const SocketAddress &server, FaultPlan plan)
    : m_server(server)
    , m_plan(std::move(plan))
{
    if (!m_socket.bind(server.isIPv4() ? QHostAddress::LocalHost : QHostAddress::LocalHostIPv6))
        qFatal("no port for a relay: %s", qPrintable(m_socket.errorString()));
    connect(&m_socket, &QUdpSocket::readyRead, this, &Relay::readFromClients);
}

SocketAddress Relay::address() const
{
    return {m_socket.localAddress(), m_socket.localPort()};
}

void Relay::readFromClients()
{
    while (m_socket.hasPendingDatagrams()) {
        const QNetworkDatagram datagram = m_socket.receiveDatagram();
        const SocketAddress client(datagram.senderAddress(),
                                   static_cast<std::uint16_t>(datagram.senderPort()));
        if (m_watcher)
            m_watcher(datagram.data());
        linkOf(client).fromClient(datagram.data());
    }
}

RelayLink &Relay::linkOf(const SocketAddress &client)
{
    std::unique_ptr<RelayLink> &link = m_links[client];
    if (!link)
        link = std::make_unique<RelayLink>(
            m_clientsSeen++, m_server, m_plan, m_log,
            [this, client](const QByteArray &datagram) {
                m_socket.writeDatagram(datagram, client.address(), client.port());
            },
            m_tap);
    return *link;
}

void Relay::moveAll(const std::function<QHostAddress()> &place)
{
    for (const auto &[client, link] : m_links)
        link->moveTo(place());
}

std::size_t Relay::replay()
{
    constexpr std::size_t atOnce = 50;
    std::vector<std::pair<QPointer<RelayLink>, QByteArray>> recorded; // more comes meanwhile
    for (const auto &[client, link] : m_links) {
        for (const QByteArray &datagram : m_tap->arrivedFrom(link->number()))
            recorded.emplace_back(link.get(), datagram);
    }
    std::size_t count = 0;
    for (const auto &[link, datagram] : recorded) {
        if (link)
            link->repeat(datagram);
        if (++count % atOnce == 0)
            waitUntil([] { return false; }, QDeadlineTimer(1));
    }
    return count;
}

void Relay::forgetSilent(std::chrono::milliseconds silence)
{
    std::erase_if(m_links, [&](const auto &link) { return link.second->silence() >= silence; });
}

} // namespace dtlsd::test
