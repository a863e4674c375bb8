// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/Record.h"

#include <QByteArrayView>

#include <cstdint>

namespace dtlsd {

/// The limits of a cipher suite under one key.
struct SuiteLimits
{
    std::uint64_t records = 0;   ///< records that may be protected
    std::uint64_t forgeries = 0; ///< records that may fail authentication
    qsizetype expansion = 0;     ///< bytes of a record's fragment beyond its plaintext
    qsizetype explicitNonce = 0; ///< bytes of these at its beginning; the others are the tag

    /// Bytes of a Finished in plaintext (RFC 5246 §7.4.9, RFC 6347 §4.2.2), in every suite.
    static constexpr qsizetype finishedSize = 12 + 12;

    /// @p cipher is OpenSSL's name; an unknown suite gets the lowest limits.
    static const SuiteLimits &of(QByteArrayView cipher);

    /// Whether a record of the peer can have @p fragment. OpenSSL ends a session on one that is too
    /// long, and 3.0.19 on one that is too short, although RFC 6347 §4.1.2.7 says to drop them.
    [[nodiscard]] bool fits(QByteArrayView fragment) const
    {
        const qsizetype plaintext = plaintextSize(fragment);
        return plaintext >= 0 && plaintext <= Record::maximumPlaintext;
    }
    /// Whether @p fragment has the length of a sealed Finished.
    [[nodiscard]] bool isAsLongAsAFinished(QByteArrayView fragment) const
    {
        return plaintextSize(fragment) == finishedSize;
    }
    /// Negative: @p fragment is too short for a record.
    [[nodiscard]] qsizetype plaintextSize(QByteArrayView fragment) const
    {
        return fragment.size() - expansion;
    }
};

} // namespace dtlsd
