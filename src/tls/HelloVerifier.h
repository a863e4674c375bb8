// SPDX-License-Identifier: Apache-2.0
//
// HelloVerifier: the backend of QDtlsClientVerifier. It accepts a ClientHello with the cookie of
// its source, and answers any other with a HelloVerifyRequest (RFC 6347 §4.2.1). It uses no TLS
// object of OpenSSL, and keeps no state for unproved sources.
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
