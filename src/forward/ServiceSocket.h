// SPDX-License-Identifier: Apache-2.0
//
// ServiceSocket: a UDP socket that is one session to a local service: connected, so that nobody
// else's datagrams come through it. Errors are numbers of errno(3).
#pragma once

#include "core/Descriptor.h"
#include "core/SocketAddress.h"

#include <QByteArray>
#include <QByteArrayView>

#include <cstdint>
#include <span>
#include <variant>

namespace dtlsd {

class ServiceSocket
{
public:
    /// Binds to @p source and connects to @p target. What others have sent there before is dropped.
    static std::variant<ServiceSocket, int> open(const SocketAddress &source,
                                                 const SocketAddress &target);

    ServiceSocket() = default; ///< none

    [[nodiscard]] bool isOpen() const { return m_descriptor.isOpen(); }
    [[nodiscard]] int descriptor() const { return m_descriptor.number(); }

    /// Sends @p header and @p payload as one datagram. 0, or the error; ECONNREFUSED is that of a
    /// datagram before, and this one was not sent.
    [[nodiscard]] int send(QByteArrayView header, QByteArrayView payload);

    struct Received
    {
        int error = 0;             ///< EAGAIN: there is nothing
        QByteArray payload = {};   ///< may be empty
        std::uint32_t dropped = 0; ///< by the kernel since the last one, as its queue was full
    };
    /// Receives one datagram through @p buffer, which is not kept.
    [[nodiscard]] Received receive(std::span<char> buffer);

private:
    Descriptor m_descriptor;
    std::uint32_t m_dropped = 0; // counted by the kernel
};

} // namespace dtlsd
