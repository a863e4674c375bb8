// SPDX-License-Identifier: Apache-2.0
//
// CookieMac: the cookie of a peer (RFC 6347 §4.2.1): HMAC-SHA256 over its port and address, as in
// Qt's own backend, so that each accepts the cookies of the other.
#pragma once

#include "core/HmacSha256.h"

#include <QByteArray>
#include <QHostAddress>

namespace dtlsd {

class CookieMac
{
public:
    explicit CookieMac(const QByteArray &secret)
        : m_secret(secret)
        , m_hmac(secret)
    {
    }

    [[nodiscard]] const QByteArray &secret() const { return m_secret; }
    /// HmacSha256::size bytes, or none if OpenSSL fails. Cached for the last peer: a verified hello
    /// is checked again when its handshake begins.
    [[nodiscard]] const QByteArray &of(const QHostAddress &peer, quint16 port);

private:
    QByteArray m_secret;
    HmacSha256 m_hmac;
    QHostAddress m_lastPeer;
    quint16 m_lastPort = 0;
    QByteArray m_last;
};

} // namespace dtlsd
