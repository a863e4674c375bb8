// SPDX-License-Identifier: Apache-2.0
//
// HelloVerifier: what is under QDtlsClientVerifier: takes a ClientHello with the cookie of its
// source, and answers one without it by a HelloVerifyRequest (RFC 6347 §4.2.1). It touches no
// object of OpenSSL's TLS, and keeps nothing of those who have not proved themselves.
#pragma once

#include "tls/DtlsState.h"
#include "tls/ThreadContexts.h"

namespace dtlsd {

class HelloVerifier final : public QTlsPrivate::DtlsCookieVerifier, public DtlsState
{
public:
    HelloVerifier(Contexts &contexts, const QByteArray &cookieSecret);

    bool verifyClient(QUdpSocket *socket, const QByteArray &datagram, const QHostAddress &address,
                      quint16 port) override;
    [[nodiscard]] QByteArray verifiedHello() const override { return m_verified; }

private:
    Contexts &m_contexts;
    std::shared_ptr<CookieMac> m_cookies;
    QByteArray m_verified;
};

} // namespace dtlsd
