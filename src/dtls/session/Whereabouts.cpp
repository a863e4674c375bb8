// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/Whereabouts.h"

#include "core/Random.h"

namespace dtlsd {

namespace {

// A message of RFC 9853 §4: its type, and a cookie.
constexpr char pathChallenge = 0;
constexpr char pathResponse = 1;
constexpr qsizetype cookieSize = 8;

} // namespace

Whereabouts::Journey &Whereabouts::journey()
{
    if (!m_journey) {
        m_journey = std::make_unique<Journey>();
        m_journey->proved = m_path;
    }
    return *m_journey;
}

QUdpSocket *Whereabouts::output()
{
    return m_socket->output(m_path, isProved(m_path) ? nullptr : &m_journey->left);
}

QUdpSocket *Whereabouts::output(DatagramSocket &socket, const Path &path, Allowance &earned)
{
    return socket.output(path, isProved(path) ? nullptr : &earned);
}

void Whereabouts::earn(qsizetype size)
{
    if (m_journey)
        m_journey->left.bytes += earnedBy(size).bytes;
}

void Whereabouts::moveTo(DatagramSocket &socket, const Path &path, const Allowance &left)
{
    Journey &its = journey();
    its.left = {left.bytes, its.left.dropped + left.dropped};
    its.challenge.clear();
    m_socket = &socket;
    m_path = path;
}

QByteArray Whereabouts::challenge()
{
    if (isProved(m_path))
        return {};
    QByteArray &cookie = m_journey->challenge;
    if (cookie.isEmpty()) {
        cookie.resize(cookieSize);
        fillWithRandom(cookie.data(), static_cast<std::size_t>(cookieSize));
    }
    return pathChallenge + cookie;
}

QByteArray Whereabouts::answerTo(QByteArrayView message)
{
    if (message.size() != 1 + cookieSize)
        return {};
    const QByteArrayView cookie = message.sliced(1);
    if (message[0] == pathResponse && m_journey && cookie == m_journey->challenge)
        m_journey->proved = m_path;
    return message[0] == pathChallenge ? pathResponse + cookie.toByteArray() : QByteArray();
}

} // namespace dtlsd
