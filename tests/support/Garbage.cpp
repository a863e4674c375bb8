// SPDX-License-Identifier: Apache-2.0
#include "support/Garbage.h"

#include "support/CraftedHello.h"

namespace dtlsd::test {

namespace {

constexpr int largest = 65'507; // of UDP over IPv4

QByteArray record(char type, char epoch, qsizetype length, const QByteArray &fragment)
{
    QByteArray bytes(1, type);
    bytes += QByteArray::fromHex("fefd00") + epoch + QByteArray::fromHex("000000000007");
    bytes += static_cast<char>((length >> 8) & 0xff);
    bytes += static_cast<char>(length & 0xff);
    return bytes + fragment;
}

} // namespace

QByteArray Garbage::noise(qsizetype size)
{
    QByteArray result(size, Qt::Uninitialized);
    for (char &byte : result)
        byte = static_cast<char>(m_random.bounded(256));
    return result;
}

QByteArray Garbage::brokenHello(qsizetype from, int range)
{
    const CraftedHello hello{.random = noise(32), .cookie = noise(32), .padding = 50};
    QByteArray bytes = hello.datagram();
    bytes[from + m_random.bounded(range)] = static_cast<char>(m_random.bounded(256));
    return bytes;
}

QByteArray Garbage::next()
{
    const int size = m_random.bounded(200);
    switch (m_random.bounded(10)) {
    case 0:
        return {};
    case 1: // of any size; the rest is one repeated byte, which is faster
        return noise(size) + QByteArray(m_random.bounded(largest - size), 'x');
    case 2:
        return record(23, 1, size, noise(size));
    case 3: // length larger than the datagram
        return record(23, 1, size + 1 + m_random.bounded(60'000), noise(size));
    case 4:
        return record(22, 1, size, noise(size));
    case 5:
        return record(22, 0, size, noise(size));
    case 6:
        return record(21, 0, 2, noise(2));
    case 7: // one of the lengths inside, perhaps
        return brokenHello(59, 40);
    case 8: // the header of the fragment
        return brokenHello(14, 11);
    default:
        return noise(size);
    }
}

} // namespace dtlsd::test
