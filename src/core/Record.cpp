// SPDX-License-Identifier: Apache-2.0
#include "core/Record.h"

#include <QtEndian>

namespace dtlsd {

namespace {

constexpr uchar dtlsMajorVersion = 0xfe; // 1.0 and 1.2 are 0xfeff and 0xfefd (RFC 6347 §4.1)

uchar byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

constexpr qsizetype fragmentHeader = Record::headerSize + 12; // its end (RFC 6347 §4.2.2)

/// The fragment_offset of the ClientHello fragment in epoch 0 that @p datagram begins with.
std::optional<quint32> helloFragmentOffset(QByteArrayView datagram)
{
    constexpr qsizetype messageType = Record::headerSize;
    constexpr qsizetype fragmentOffset = Record::headerSize + 6; // three bytes
    constexpr uchar clientHello = 1;

    const auto record = RecordReader(datagram).next();
    if (!record || record->type != ContentType::Handshake || record->epoch != 0 ||
        record->bytes.size() < fragmentHeader || byteAt(datagram, messageType) != clientHello)
        return std::nullopt;
    return static_cast<quint32>(byteAt(datagram, fragmentOffset)) << 16 |
           qFromBigEndian<quint16>(datagram.data() + fragmentOffset + 1);
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

std::optional<QByteArrayView> clientHelloRandom(QByteArrayView datagram)
{
    constexpr qsizetype random = fragmentHeader + 2; // behind client_version
    constexpr qsizetype randomSize = 32;
    const auto offset = helloFragmentOffset(datagram);
    if (offset != 0U || RecordReader(datagram).next()->bytes.size() < random + randomSize)
        return std::nullopt;
    return datagram.sliced(random, randomSize);
}

bool isFurtherHelloFragment(QByteArrayView datagram)
{
    return helloFragmentOffset(datagram).value_or(0) > 0;
}

} // namespace dtlsd
