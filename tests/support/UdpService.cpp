// SPDX-License-Identifier: Apache-2.0
#include "support/UdpService.h"

#include "support/FreePort.h"

#include <utility>

namespace dtlsd::test {

UdpService::UdpService(const QHostAddress &host)
    : m_host(host)
{
    start();
}

void UdpService::start()
{
    m_socket = std::make_unique<QUdpSocket>();
    if (m_port == 0)
        m_port = freePort();
    if (!m_socket->bind(m_host, m_port))
        qFatal("no port for a service");
    QObject::connect(m_socket.get(), &QUdpSocket::readyRead, m_socket.get(), [this] { handle(); });
}

void UdpService::handleBy(Handler handler)
{
    m_handler = std::move(handler);
    handle();
}

void UdpService::handle()
{
    if (!m_handler)
        return;
    for (const Question &question : take())
        m_handler(question);
}

std::vector<UdpService::Question> UdpService::take()
{
    std::vector<Question> taken;
    while (m_socket && m_socket->hasPendingDatagrams()) {
        QByteArray text(m_socket->pendingDatagramSize(), Qt::Uninitialized);
        QHostAddress host;
        std::uint16_t port = 0;
        m_socket->readDatagram(text.data(), text.size(), &host, &port);
        taken.push_back({text, {host, port}});
    }
    return taken;
}

void UdpService::answer(const SocketAddress &to, const QByteArray &text)
{
    if (m_socket->writeDatagram(text, to.address(), to.port()) != text.size())
        qFatal("a service cannot send");
}

} // namespace dtlsd::test
