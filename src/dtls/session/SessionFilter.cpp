// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionFilter.h"

#include "wire/ClientHello.h"

namespace dtlsd {

namespace {

// Sizes of plaintext: a handshake header, and a ClientHello with one suite, one compression method
// and nothing else (RFC 5246 §7.4.1.2, RFC 6347 §4.2.2).
constexpr qsizetype shortestHello = 12 + 2 + 32 + 1 + 1 + 2 + 2 + 1 + 1;
constexpr qsizetype longestHello = 12 + qsizetype{ClientHello::maximumSize};

} // namespace

bool SessionFilter::admits(const Record &record) const
{
    // Of a record of another version OpenSSL drops the header, and parses the rest as records.
    if (record.epoch != 1 || record.hasId() || !record.isOfDtls12() ||
        !m_limits.fits(record.fragment()))
        return false;
    if (record.type != ContentType::Handshake)
        return true;
    // Handshake records pass only with a reason: the device's Finished again, because ours was lost
    // (RFC 6347 §4.2.4), or a whole ClientHello, which OpenSSL answers with no_renegotiation.
    const qsizetype size = m_limits.plaintextSize(record.fragment());
    return size == SuiteLimits::finishedSize || (size >= shortestHello && size <= longestHello);
}

} // namespace dtlsd
