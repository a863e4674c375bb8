// SPDX-License-Identifier: Apache-2.0
//
// MemorySocket: a DatagramSocket without a network. Tests hand it datagrams, and read the datagrams
// that it would have sent.
#pragma once

#include "net/DatagramSocket.h"

#include <deque>
#include <functional>
#include <span>
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
    /// Several datagrams arrive in one batch.
    void arrive(const SocketAddress &peer, const std::vector<QByteArray> &datagrams);

    /// A datagram that arrives together with the next.
    void hold(const SocketAddress &peer, const QByteArray &datagram)
    {
        m_waiting.push_back({{peer, localAddress()}, datagram});
    }

    /// The datagrams sent since the last call.
    std::vector<OutgoingDatagram> takeSent();

    /// Called with what is about to be sent, if set.
    std::function<void(std::span<const OutgoingDatagram>)> onSend;

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
