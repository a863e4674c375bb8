// SPDX-License-Identifier: Apache-2.0
#include "wire/Record.h"

#include <QtEndian>

namespace dtlsd {

namespace {

constexpr uchar dtlsMajorVersion = 0xfe; // 1.0 and 1.2 are 0xfeff and 0xfefd (RFC 6347 §4.1)

uchar byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

} // namespace

std::optional<Alert> Record::clearAlert() const
{
    return type == ContentType::Alert && epoch == 0 ? Alert::in(fragment()) : std::nullopt;
}

std::optional<Record> RecordReader::next()
{
    if (m_rest.size() < Record::headerSize)
        return std::nullopt;
    const uchar type = byteAt(m_rest, 0);
    const qsizetype size = Record::headerSize + qFromBigEndian<quint16>(m_rest.data() + 11);
    if (type < static_cast<uchar>(ContentType::ChangeCipherSpec) ||
        type > static_cast<uchar>(ContentType::ApplicationData) ||
        byteAt(m_rest, 1) != dtlsMajorVersion || size > m_rest.size())
        return std::nullopt;

    const quint64 epochAndSequence = qFromBigEndian<quint64>(m_rest.data() + 3);
    const Record record{static_cast<ContentType>(type),
                        static_cast<std::uint16_t>(epochAndSequence >> 48),
                        epochAndSequence & 0xffff'ffff'ffff, m_rest.first(size)};
    m_rest = m_rest.sliced(size);
    return record;
}

} // namespace dtlsd
