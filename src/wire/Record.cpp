// SPDX-License-Identifier: Apache-2.0
#include "wire/Record.h"

#include "wire/HandshakeFragment.h"

#include <QtEndian>

namespace dtlsd {

namespace {

constexpr uchar dtlsMajorVersion = 0xfe; // 1.0 and 1.2 are 0xfeff and 0xfefd (RFC 6347 §4.1)

uchar byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

} // namespace

bool Record::isOfAClearFlight() const
{
    if (epoch != 0)
        return false;
    if (type == ContentType::ChangeCipherSpec)
        return fragment() == QByteArrayView("\x01");
    const auto message = HandshakeFragment::in(fragment());
    return type == ContentType::Handshake && message &&
           message->type == HandshakeFragment::clientKeyExchange;
}

std::optional<Alert> Record::clearAlert() const
{
    return type == ContentType::Alert && epoch == 0 ? Alert::in(fragment()) : std::nullopt;
}

std::optional<Record> RecordReader::next()
{
    if (m_rest.size() < Record::headerSize)
        return std::nullopt;
    const uchar type = byteAt(m_rest, 0);
    const bool hasId = type == static_cast<uchar>(ContentType::WithId);
    const qsizetype header =
        Record::headerSize + (hasId ? static_cast<qsizetype>(ConnectionId::size) : 0);
    const bool isKnown = hasId || (type >= static_cast<uchar>(ContentType::ChangeCipherSpec) &&
                                   type <= static_cast<uchar>(ContentType::ApplicationData));
    if (!isKnown || byteAt(m_rest, 1) != dtlsMajorVersion || m_rest.size() < header)
        return std::nullopt;
    const qsizetype size = header + qFromBigEndian<quint16>(m_rest.data() + header - 2);
    if (size > m_rest.size())
        return std::nullopt;

    const quint64 epochAndSequence = qFromBigEndian<quint64>(m_rest.data() + 3);
    const Record record{static_cast<ContentType>(type),
                        static_cast<std::uint16_t>(epochAndSequence >> 48),
                        epochAndSequence & 0xffff'ffff'ffff, m_rest.first(size)};
    m_rest = m_rest.sliced(size);
    return record;
}

} // namespace dtlsd
