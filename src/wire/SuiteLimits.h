// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/Record.h"

#include <QByteArrayView>

#include <cstdint>

namespace dtlsd {

/// What a cipher suite puts up with under one key.
struct SuiteLimits
{
    std::uint64_t records = 0;   ///< that it protects
    std::uint64_t forgeries = 0; ///< records that fail authentication
    qsizetype expansion = 0;     ///< bytes of a record's fragment beyond its plaintext

    /// Plaintext of a Finished (RFC 5246 §7.4.9, RFC 6347 §4.2.2): with each suite the same.
    static constexpr qsizetype finishedSize = 12 + 12;

    /// By OpenSSL's name; a suite that is not known gets the lowest limits.
    static SuiteLimits of(QByteArrayView cipher);

    /// Whether @p fragment can be a record of the peer's. OpenSSL ends a session over one that is
    /// too long, and 3.0.19 over one that is too short, where RFC 6347 §4.1.2.7 has them
    /// dropped.
    [[nodiscard]] bool fits(QByteArrayView fragment) const
    {
        const qsizetype plaintext = plaintextSize(fragment);
        return plaintext >= 0 && plaintext <= Record::maximumPlaintext;
    }
    /// Negative: @p fragment is too short to be a record's.
    [[nodiscard]] qsizetype plaintextSize(QByteArrayView fragment) const
    {
        return fragment.size() - expansion;
    }
};

} // namespace dtlsd
