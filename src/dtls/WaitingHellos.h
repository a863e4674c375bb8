// SPDX-License-Identifier: Apache-2.0
//
// WaitingHellos: verified hellos until the server has time for their handshakes. A handshake costs
// as much as fifty datagrams of open sessions; if each began at once, strangers could keep a server
// from reading.
#pragma once

#include "core/SocketAddress.h"

#include <QByteArray>
#include <QDtls>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace dtlsd {

class DatagramSocket;

struct VerifiedHello
{
    DatagramSocket *socket = nullptr;
    Path path;
    QByteArray bytes;                  ///< the datagram
    QDtls::GeneratorParameters cookie; ///< what it was verified with
};

class WaitingHellos
{
public:
    /// Room for @p capacity hellos, and for 4 MiB of them.
    explicit WaitingHellos(std::size_t capacity)
        : m_capacity(capacity)
    {
    }

    /// false: there is no room.
    [[nodiscard]] bool add(VerifiedHello hello)
    {
        if (m_hellos.size() >= m_capacity || m_bytes + hello.bytes.size() > maximumBytes)
            return false;
        m_bytes += hello.bytes.size();
        m_hellos.push_back(std::move(hello));
        return true;
    }

    /// The one that has waited longest.
    std::optional<VerifiedHello> take()
    {
        if (m_hellos.empty())
            return std::nullopt;
        VerifiedHello hello = std::move(m_hellos.front());
        m_hellos.pop_front();
        m_bytes -= hello.bytes.size();
        return hello;
    }

    /// Those there are stay, however many.
    void setCapacity(std::size_t capacity) { m_capacity = capacity; }
    /// Those that came to @p socket, which goes.
    void forget(const DatagramSocket &socket)
    {
        std::erase_if(m_hellos, [&](const VerifiedHello &hello) {
            const bool isOne = hello.socket == &socket;
            m_bytes -= isOne ? hello.bytes.size() : 0;
            return isOne;
        });
    }
    [[nodiscard]] bool isEmpty() const { return m_hellos.empty(); }

private:
    static constexpr qsizetype maximumBytes = 4 << 20;

    std::size_t m_capacity;
    qsizetype m_bytes = 0;
    std::deque<VerifiedHello> m_hellos;
};

} // namespace dtlsd
