// SPDX-License-Identifier: Apache-2.0
//
// HandOver: datagrams that came to one worker with the connection ID of another's session, and wait
// for that worker. Who sends them is not proved, so networks share the room fairly. Thread-safe.
#pragma once

#include "core/Descriptor.h"
#include "core/FairQueue.h"
#include "core/SocketAddress.h"

#include <QByteArray>

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace dtlsd {

class HandOver
{
public:
    struct Datagram
    {
        Path path;
        QByteArray bytes;
        std::shared_ptr<const Descriptor> socket; ///< that it came to

        [[nodiscard]] std::size_t cost() const
        {
            return sizeof *this + static_cast<std::size_t>(bytes.size());
        }
    };

    enum class Added { First, Further, NoRoom };

    /// First: the queue was empty, and its worker has to be told.
    [[nodiscard]] Added add(Datagram datagram)
    {
        std::list<Datagram> added;
        added.push_back(std::move(datagram));
        const SocketAddress network = added.front().path.peer.network();
        const std::lock_guard lock(m_mutex);
        if (!m_waiting.takes(network, added.front().cost()))
            return Added::NoRoom;
        const bool isFirst = m_waiting.isEmpty();
        m_waiting.add(network, added);
        return isFirst ? Added::First : Added::Further;
    }

    /// The next one; empty if none waits.
    [[nodiscard]] std::list<Datagram> take()
    {
        const std::lock_guard lock(m_mutex);
        return m_waiting.isEmpty() ? std::list<Datagram>() : m_waiting.take();
    }

private:
    std::mutex m_mutex;
    FairQueue<SocketAddress, Datagram> m_waiting{{1024, 1 << 20}}; // guarded by m_mutex
};

} // namespace dtlsd
