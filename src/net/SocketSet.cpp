// SPDX-License-Identifier: Apache-2.0
#include "net/SocketSet.h"

#include <algorithm>

namespace dtlsd {

namespace {

auto at(auto &sockets, const SocketAddress &address)
{
    return std::ranges::find(sockets, address,
                             [](const auto &socket) { return socket->localAddress(); });
}

} // namespace

void SocketSet::add(std::unique_ptr<DatagramSocket> socket)
{
    QObject::connect(socket.get(), &DatagramSocket::readyRead, socket.get(),
                     [this, raw = socket.get()] { m_ready(*raw); });
    m_sockets.push_back(std::move(socket));
}

DatagramSocket *SocketSet::like(const Descriptor &duplicate)
{
    const SocketAddress address = DatagramSocket::addressOf(duplicate.number());
    for (const auto *sockets : {&m_sockets, &m_senders}) {
        const auto found = at(*sockets, address);
        if (found != sockets->end())
            return found->get();
    }
    auto sender = DatagramSocket::sender(duplicate);
    if (!sender)
        return nullptr;
    m_senders.push_back(std::move(sender));
    return m_senders.back().get();
}

void SocketSet::resume()
{
    for (const auto &socket : m_sockets)
        socket->resume();
}

void SocketSet::pause()
{
    for (const auto &socket : m_sockets)
        socket->pause();
}

int SocketSet::receiving() const
{
    const bool isAll = std::ranges::all_of(m_sockets, &DatagramSocket::isReceiving,
                                           &std::unique_ptr<DatagramSocket>::operator*);
    return isAll ? static_cast<int>(m_sockets.size()) : 0;
}

DatagramSocket *SocketSet::retire(const SocketAddress &address, Clock::time_point now)
{
    for (auto *sockets : {&m_sockets, &m_senders}) {
        const auto found = at(*sockets, address);
        if (found == sockets->end())
            continue;
        m_overflow.ask(now);
        (*found)->pause();
        m_retired.push_back(std::move(*found));
        sockets->erase(found);
        return m_retired.back().get();
    }
    return nullptr;
}

void SocketSet::close(DatagramSocket &retired)
{
    retired.flush();
    std::erase_if(m_retired, [&](const auto &socket) { return socket.get() == &retired; });
}

void SocketSet::flush()
{
    for (const auto *sockets : {&m_sockets, &m_senders, &m_retired}) {
        for (const auto &socket : *sockets)
            socket->flush();
    }
}

} // namespace dtlsd
