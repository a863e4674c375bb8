// SPDX-License-Identifier: Apache-2.0
#include "core/Record.h"

#include <algorithm>

#include <QtEndian>

namespace dtlsd {

namespace {

constexpr uchar dtlsMajorVersion = 0xfe; // 1.0 and 1.2 are 0xfeff and 0xfefd (RFC 6347 §4.1)

uchar byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

} // namespace

std::optional<AlertDescription> Record::clearAlert() const
{
    const QByteArrayView alert = fragment();
    if (type != ContentType::Alert || epoch != 0 || alert.size() != 2)
        return std::nullopt;
    return static_cast<AlertDescription>(byteAt(alert, 1));
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
    constexpr qsizetype messageType = Record::headerSize;        // RFC 6347 §4.2.2
    constexpr qsizetype fragmentOffset = Record::headerSize + 6; // three bytes
    constexpr qsizetype random = Record::headerSize + 12 + 2;    // behind client_version
    constexpr qsizetype randomSize = 32;
    constexpr uchar clientHello = 1;

    const auto record = RecordReader(datagram).next();
    if (!record || record->type != ContentType::Handshake || record->epoch != 0 ||
        record->bytes.size() < random + randomSize || byteAt(datagram, messageType) != clientHello)
        return std::nullopt;
    const QByteArrayView offset = datagram.sliced(fragmentOffset, 3);
    if (std::any_of(offset.begin(), offset.end(), [](char byte) { return byte != 0; }))
        return std::nullopt;
    return datagram.sliced(random, randomSize);
}

} // namespace dtlsd
