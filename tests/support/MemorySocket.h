// SPDX-License-Identifier: Apache-2.0
//
// MemorySocket: a DatagramSocket without a network. Tests hand it datagrams, and look at what would
// have been sent.
#pragma once

#include "net/DatagramSocket.h"

#include <deque>
#include <vector>

namespace dtlsd::test {

class MemorySocket : public DatagramSocket
{
public:
    explicit MemorySocket(const SocketAddress &local)
        : DatagramSocket(local)
    {
    }

    /// A datagram from @p peer arrives.
    void arrive(const SocketAddress &peer, const QByteArray &datagram);
    /// Several, of which the reader hears at once.
    void arrive(const SocketAddress &peer, const std::vector<QByteArray> &datagrams);

    /// One that arrives together with the next.
    void hold(const SocketAddress &peer, const QByteArray &datagram)
    {
        m_waiting.push_back({{peer, localAddress()}, datagram});
    }

    /// What was sent since this was last asked.
    std::vector<OutgoingDatagram> takeSent();

protected:
    void receiveBatch(ReceiveBuffer &buffer) override;
    void sendBatch(std::span<const OutgoingDatagram> batch) override;

private:
    struct Waiting
    {
        Path path;
        QByteArray bytes;
    };
    std::deque<Waiting> m_waiting;
    std::vector<OutgoingDatagram> m_sent;
};

} // namespace dtlsd::test
