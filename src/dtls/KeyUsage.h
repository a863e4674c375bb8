// SPDX-License-Identifier: Apache-2.0
//
// KeyUsage: counts what the two keys of a session have protected and refused, and tells when they
// are used up (RFC 9325 §4.4). DTLS 1.2 as OpenSSL has it cannot change the keys of a session, so
// the session ends there, and its peer begins a new one.
#pragma once

#include "dtls/Record.h"

#include <QByteArrayView>

#include <cstdint>

namespace dtlsd {

/// What a cipher suite puts up with under one key.
struct SuiteLimits
{
    std::uint64_t records = 0;   ///< that it protects
    std::uint64_t forgeries = 0; ///< records that fail authentication
    qsizetype expansion = 0;     ///< bytes of a record's fragment beyond its plaintext

    /// By OpenSSL's name; a suite that is not known gets the lowest limits.
    static SuiteLimits of(QByteArrayView cipher);
};

class KeyUsage
{
public:
    KeyUsage() = default;
    explicit KeyUsage(const SuiteLimits &limits)
        : m_limits(limits)
    {
    }

    /// Whether @p fragment can be a record of the peer's. OpenSSL ends a session over one that is
    /// too long, and 3.0.19 over one that is too short, where RFC 6347 §4.1.2.7 has them
    /// dropped.
    [[nodiscard]] bool fits(QByteArrayView fragment) const
    {
        const qsizetype plaintext = fragment.size() - m_limits.expansion;
        return plaintext >= 0 && plaintext <= Record::maximumPlaintext;
    }

    void noteSent() { ++m_sent; }
    void noteReceived() { ++m_received; }
    /// A record of the peer's epoch that was not authentic. One that is repeated counts as well,
    /// since OpenSSL does not tell the two apart.
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
