// SPDX-License-Identifier: Apache-2.0
//
// KeyUsage: counts the records that the two keys of a session have protected and refused, and tells
// when the keys are used up (RFC 9325 §4.4). OpenSSL cannot change the keys of a DTLS 1.2 session,
// so the session ends, and its peer begins a new one.
#pragma once

#include "wire/SuiteLimits.h"

#include <cstdint>

namespace dtlsd {

class KeyUsage
{
public:
    KeyUsage() = default;
    explicit KeyUsage(const SuiteLimits &limits)
        : m_limits(limits)
    {
    }

    void noteSent() { ++m_sent; }
    void noteReceived() { ++m_received; }
    /// A record of the peer's epoch that was not authentic. Repeated records count as well, since
    /// OpenSSL does not tell them apart.
    void noteRefused() { ++m_refused; }

    [[nodiscard]] bool isOver() const
    {
        return m_sent >= m_limits.records || m_received >= m_limits.records ||
               m_refused >= m_limits.forgeries;
    }

private:
    SuiteLimits m_limits;
    std::uint64_t m_sent = 0;
    std::uint64_t m_received = 0;
    std::uint64_t m_refused = 0;
};

} // namespace dtlsd
