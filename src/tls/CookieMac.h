// SPDX-License-Identifier: Apache-2.0
//
// CookieMac: the cookie of a peer (RFC 6347 §4.2.1): HMAC-SHA256 over its port and address, the
// same that Qt's own backend makes, so that either takes the other's.
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
    /// HmacSha256::size bytes, or none if OpenSSL cannot. Asked again for the same peer it costs
    /// nothing: a hello that was verified is looked at once more when its handshake begins.
    [[nodiscard]] const QByteArray &of(const QHostAddress &peer, quint16 port);

private:
    QByteArray m_secret;
    HmacSha256 m_hmac;
    QHostAddress m_lastPeer;
    quint16 m_lastPort = 0;
    QByteArray m_last;
};

} // namespace dtlsd
