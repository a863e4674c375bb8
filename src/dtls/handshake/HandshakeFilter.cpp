// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/HandshakeFilter.h"

#include "wire/AssociationState.h"
#include "wire/ClientHello.h"
#include "wire/HandshakeFragment.h"
#include "wire/SuiteLimits.h"

#include <algorithm>

namespace dtlsd {

namespace {

constexpr int maximumClearRecords = 64;
// OpenSSL buffers up to 16 (before 3.0.9: 100) records of the next epoch, 16 KiB each.
constexpr int maximumEarlyRecords = 8;
constexpr quint32 maximumKeyExchange = 1024;
// Half of OpenSSL's replay window (RFC 6347 §4.1.2.6): a forged record cannot move the window past
// the client's records.
constexpr std::uint64_t maximumSequenceStep = 32;

/// The messages of the second flight: the rest of a fragmented ClientHello (its first fragment has
/// passed the cookie check) and the ClientKeyExchange.
bool isExpected(const HandshakeFragment &fragment)
{
    return (fragment.type == HandshakeFragment::clientKeyExchange &&
            fragment.messageSequence == 2 && fragment.length <= maximumKeyExchange) ||
           (fragment.type == HandshakeFragment::clientHello && fragment.messageSequence == 1 &&
            fragment.offset > 0 && fragment.length <= ClientHello::maximumSize);
}

/// Whether the fragment is as long as a Finished; these suites cover every expansion.
bool isAsLongAsAFinished(QByteArrayView fragment)
{
    const auto is = [&](const char *suite) {
        return SuiteLimits::of(suite).isAsLongAsAFinished(fragment);
    };
    return is("PSK-AES128-GCM-SHA256") || is("PSK-CHACHA20-POLY1305") || is("PSK-AES128-CCM8");
}

} // namespace

bool HandshakeFilter::admits(const Record &record)
{
    return record.epoch == 0 ? admitsClear(record) : admitsEncrypted(record);
}

bool HandshakeFilter::admitsEncrypted(const Record &record)
{
    // The Finished is the only record under the new keys. OpenSSL would buffer application data
    // that arrives before it, and return it in place of the next.
    const bool isLikeAFinished =
        record.hasId()
            ? m_sawChangeCipherSpec || record.bytes.size() <= AssociationState::longestHeldFinished
            : record.type == ContentType::Handshake && isAsLongAsAFinished(record.fragment());
    return record.epoch == 1 && isLikeAFinished &&
           (m_sawChangeCipherSpec || ++m_earlyRecords <= maximumEarlyRecords);
}

bool HandshakeFilter::admitsClear(const Record &record)
{
    if (const auto alert = record.clearAlert();
        alert && alert->level == Alert::Level::Fatal && !m_sawChangeCipherSpec)
        m_clearAlert = alert;
    const QByteArrayView fragment = record.fragment();
    const auto message = HandshakeFragment::in(fragment);
    const bool isKeyExchange =
        record.type == ContentType::Handshake && message && isExpected(*message);
    const bool isChangeCipherSpec = record.type == ContentType::ChangeCipherSpec &&
                                    fragment.size() == 1 && fragment[0] == 1 && m_sawKeyExchange;
    if ((!isKeyExchange && !isChangeCipherSpec) || m_clearRecords >= maximumClearRecords ||
        record.sequence > m_highestClearSequence + maximumSequenceStep)
        return false;
    ++m_clearRecords;
    m_highestClearSequence = std::max(m_highestClearSequence, record.sequence);
    m_sawKeyExchange |= isKeyExchange;
    m_sawChangeCipherSpec |= isChangeCipherSpec;
    return true;
}

} // namespace dtlsd
