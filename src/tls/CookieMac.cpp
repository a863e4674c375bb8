// SPDX-License-Identifier: Apache-2.0
#include "tls/CookieMac.h"

namespace dtlsd {

namespace {

template <class T>
void append(QByteArray &bytes, const T &value)
{
    bytes += QByteArrayView(reinterpret_cast<const char *>(&value), sizeof value);
}

/// In host byte order, except IPv6 addresses.
QByteArray whereabouts(const QHostAddress &peer, quint16 port)
{
    QByteArray bytes;
    append(bytes, port);
    if (peer.protocol() == QAbstractSocket::IPv4Protocol)
        append(bytes, peer.toIPv4Address());
    else
        append(bytes, peer.toIPv6Address());
    return bytes;
}

} // namespace

const QByteArray &CookieMac::of(const QHostAddress &peer, quint16 port)
{
    if (m_last.isEmpty() || port != m_lastPort || peer != m_lastPeer) {
        m_last = m_hmac.of(whereabouts(peer, port));
        m_lastPeer = peer;
        m_lastPort = port;
    }
    return m_last;
}

} // namespace dtlsd
