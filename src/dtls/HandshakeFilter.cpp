// SPDX-License-Identifier: Apache-2.0
#include "dtls/HandshakeFilter.h"

#include "wire/ClientHello.h"
#include "wire/SuiteLimits.h"

#include <QtEndian>

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

/// The header of a handshake fragment (RFC 6347 §4.2.2).
struct FragmentHeader
{
    static constexpr qsizetype size = 12;

    explicit FragmentHeader(QByteArrayView bytes)
        : type(static_cast<uchar>(bytes[0]))
        , length(uint24(bytes.sliced(1)))
        , messageSequence(qFromBigEndian<quint16>(bytes.data() + 4))
        , offset(uint24(bytes.sliced(6)))
        , fragmentLength(uint24(bytes.sliced(9)))
    {
    }

    static quint32 uint24(QByteArrayView bytes)
    {
        return static_cast<quint32>(static_cast<uchar>(bytes[0])) << 16 |
               qFromBigEndian<quint16>(bytes.data() + 1);
    }

    quint8 type;
    quint32 length;
    quint16 messageSequence;
    quint32 offset;
    quint32 fragmentLength;
};

/// The messages of the second flight: the rest of a fragmented ClientHello (its first fragment has
/// passed the cookie check) and the ClientKeyExchange.
bool isExpectedFragment(QByteArrayView fragment)
{
    constexpr quint8 clientHello = 1;
    constexpr quint8 clientKeyExchange = 16;

    if (fragment.size() < FragmentHeader::size)
        return false;
    const FragmentHeader header(fragment);
    const bool inside =
        header.offset <= header.length && header.fragmentLength <= header.length - header.offset &&
        header.fragmentLength == static_cast<quint32>(fragment.size() - FragmentHeader::size);
    if (!inside)
        return false;
    return (header.type == clientKeyExchange && header.messageSequence == 2 &&
            header.length <= maximumKeyExchange) ||
           (header.type == clientHello && header.messageSequence == 1 && header.offset > 0 &&
            header.length <= ClientHello::maximumSize);
}

/// Whether the fragment is as long as a Finished; these suites cover every expansion.
bool isAsLongAsAFinished(QByteArrayView fragment)
{
    const auto is = [&](const char *suite) {
        return SuiteLimits::of(suite).plaintextSize(fragment) == SuiteLimits::finishedSize;
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
    return record.epoch == 1 && record.type == ContentType::Handshake &&
           isAsLongAsAFinished(record.fragment()) &&
           (m_sawChangeCipherSpec || ++m_earlyRecords <= maximumEarlyRecords);
}

bool HandshakeFilter::admitsClear(const Record &record)
{
    if (const auto alert = record.clearAlert();
        alert && alert->level == Alert::Level::Fatal && !m_sawChangeCipherSpec)
        m_clearAlert = alert;
    const QByteArrayView fragment = record.fragment();
    const bool isKeyExchange =
        record.type == ContentType::Handshake && isExpectedFragment(fragment);
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
