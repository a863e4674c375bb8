// SPDX-License-Identifier: Apache-2.0
#include "net/SocketSet.h"

#include <algorithm>

namespace dtlsd {

void SocketSet::add(std::unique_ptr<DatagramSocket> socket)
{
    QObject::connect(socket.get(), &DatagramSocket::readyRead, socket.get(),
                     [this, raw = socket.get()] { m_ready(*raw); });
    m_sockets.push_back(std::move(socket));
}

void SocketSet::resume()
{
    for (const auto &socket : m_sockets)
        socket->resume();
}

int SocketSet::receiving() const
{
    const bool isAll = std::ranges::all_of(m_sockets, &DatagramSocket::isReceiving,
                                           &std::unique_ptr<DatagramSocket>::operator*);
    return isAll ? static_cast<int>(m_sockets.size()) : 0;
}

DatagramSocket *SocketSet::retire(const SocketAddress &address, Clock::time_point now)
{
    const auto found = std::ranges::find(m_sockets, address,
                                         [](const auto &socket) { return socket->localAddress(); });
    if (found == m_sockets.end())
        return nullptr;
    m_overflow.ask(now);
    (*found)->pause();
    m_retired.push_back(std::move(*found));
    m_sockets.erase(found);
    return m_retired.back().get();
}

void SocketSet::close(DatagramSocket &retired)
{
    retired.flush();
    std::erase_if(m_retired, [&](const auto &socket) { return socket.get() == &retired; });
}

void SocketSet::flush()
{
    for (const auto *sockets : {&m_sockets, &m_retired}) {
        for (const auto &socket : *sockets)
            socket->flush();
    }
}

} // namespace dtlsd
