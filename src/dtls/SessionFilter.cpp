// SPDX-License-Identifier: Apache-2.0
#include "dtls/SessionFilter.h"

#include "wire/ClientHello.h"

namespace dtlsd {

namespace {

// Of the plaintext: a handshake header, and a ClientHello with one suite, one compression method
// and no more (RFC 5246 §7.4.1.2, RFC 6347 §4.2.2).
constexpr qsizetype shortestHello = 12 + 2 + 32 + 1 + 1 + 2 + 2 + 1 + 1;
constexpr qsizetype longestHello = 12 + qsizetype{ClientHello::maximumSize};

} // namespace

bool SessionFilter::admits(const Record &record) const
{
    // Of one of another version OpenSSL drops the header, and takes its fragment for records.
    if (record.epoch != 1 || !record.isOfDtls12() || !m_limits.fits(record.fragment()))
        return false;
    if (record.type != ContentType::Handshake)
        return true;
    // Of handshakes only what a device has a reason to send: its Finished, as ours was lost (RFC
    // 6347 §4.2.4), and a whole ClientHello, which OpenSSL answers by no_renegotiation.
    const qsizetype size = m_limits.plaintextSize(record.fragment());
    return size == SuiteLimits::finishedSize || (size >= shortestHello && size <= longestHello);
}

} // namespace dtlsd
