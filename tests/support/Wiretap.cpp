// SPDX-License-Identifier: Apache-2.0
#include "support/Wiretap.h"

#include <QtEndian>

#include <utility>

namespace dtlsd::test {

namespace {

constexpr char handshake = 22;
constexpr char withId = 25; // tls12_cid
constexpr char hello = 1;   // ClientHello
constexpr qsizetype idPlace = 11;
constexpr qsizetype explicitNonce = 8;

QString hex(const QByteArray &bytes)
{
    return QString::fromLatin1(bytes.toHex());
}

} // namespace

void Wiretap::sent(int client, Direction direction, const QByteArray &datagram)
{
    if (direction == Direction::ToServer) {
        seeHello(client, datagram);
        return;
    }
    for (QByteArray rest = datagram; rest.size() > idPlace + 2;) {
        const qsizetype lengthPlace = rest[0] == withId ? idPlace + m_idSize : idPlace;
        const qsizetype header = lengthPlace + 2;
        if (rest.size() < header)
            return;
        const qsizetype size = qFromBigEndian<quint16>(rest.constData() + lengthPlace);
        if (rest.size() < header + size)
            return;
        const auto number = qFromBigEndian<quint64>(rest.constData() + 3);
        if (number >> 48 > 0)
            seeSealed(client, number, rest.sliced(header, size));
        rest = rest.sliced(header + size);
    }
}

/// A hello is alone in its datagram, and in clear.
void Wiretap::seeHello(int client, const QByteArray &datagram)
{
    constexpr qsizetype epochPlace = 3;
    constexpr qsizetype messagePlace = 13;
    constexpr qsizetype randomPlace = messagePlace + 12 + 2; // behind its header and a version
    constexpr qsizetype randomSize = 32;
    const bool isHello = datagram.size() >= randomPlace + randomSize && datagram[0] == handshake &&
                         qFromBigEndian<quint16>(datagram.constData() + epochPlace) == 0 &&
                         datagram[messagePlace] == hello;
    if (!isHello)
        return;
    const QByteArray random = datagram.sliced(randomPlace, randomSize);
    Association &association = m_associations[client];
    if (association.random != random)
        association = {association.number + 1, random};
}

void Wiretap::seeSealed(int client, std::uint64_t number, const QByteArray &fragment)
{
    ++m_sealed;
    const int association = m_associations[client].number;
    const auto look = [&](auto &known, std::uint64_t nonce, const char *what) {
        const auto [place, isNew] = known.try_emplace({client, association, nonce}, fragment);
        if (!isNew && place->second != fragment)
            m_repeated << QStringLiteral("%1 %2 to client %3 in its association %4: %5, then %6")
                              .arg(QLatin1String(what))
                              .arg(nonce, 16, 16, QLatin1Char('0'))
                              .arg(client)
                              .arg(association)
                              .arg(hex(place->second), hex(fragment));
    };
    look(m_bySequence, number, "sequence number");
    // With ChaCha20 these bytes are ciphertext, and do not meet by chance.
    if (fragment.size() > explicitNonce)
        look(m_byExplicitNonce, qFromBigEndian<quint64>(fragment.constData()), "explicit nonce");
}

void Wiretap::arrived(int client, const QByteArray &datagram)
{
    Arrived &arrived = m_arrived[client];
    if (arrived.known.insert(datagram).second)
        arrived.datagrams.push_back(datagram);
}

} // namespace dtlsd::test
