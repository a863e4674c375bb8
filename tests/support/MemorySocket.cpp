// SPDX-License-Identifier: Apache-2.0
#include "support/MemorySocket.h"

#include <algorithm>
#include <utility>

namespace dtlsd::test {

void MemorySocket::arrive(const SocketAddress &peer, const QByteArray &datagram)
{
    arrive(peer, std::vector{datagram});
}

void MemorySocket::arrive(const SocketAddress &peer, const std::vector<QByteArray> &datagrams)
{
    for (const QByteArray &datagram : datagrams)
        m_waiting.push_back({{peer, localAddress()}, datagram});
    Q_EMIT readyRead();
}

std::vector<OutgoingDatagram> MemorySocket::takeSent()
{
    return std::exchange(m_sent, {});
}

void MemorySocket::receiveBatch(ReceiveBuffer &buffer)
{
    while (!m_waiting.empty() && buffer.received.size() < buffer.slots()) {
        const Waiting waiting = std::move(m_waiting.front());
        m_waiting.pop_front();
        const std::span<char> room = buffer.room(buffer.received.size());
        std::copy(waiting.bytes.begin(), waiting.bytes.end(), room.begin());
        buffer.received.push_back({waiting.path, {room.data(), waiting.bytes.size()}});
    }
}

void MemorySocket::sendBatch(std::span<const OutgoingDatagram> batch)
{
    if (onSend)
        onSend(batch);
    m_sent.insert(m_sent.end(), batch.begin(), batch.end());
}

} // namespace dtlsd::test
