// SPDX-License-Identifier: Apache-2.0
#include "tls/PskBackend.h"

#include "core/Random.h"
#include "tls/HelloVerifier.h"
#include "tls/ServerAssociation.h"

#include <QSslSocket>

namespace dtlsd {

PskBackend::PskBackend(QTlsBackend &qts)
    : ForwardingBackend(qts)
    , m_cookieSecret(randomSecret())
{
}

QTlsPrivate::DtlsCryptograph *PskBackend::createDtlsCryptograph(QDtls *dtls, int mode) const
{
    if (mode != QSslSocket::SslServerMode)
        return ForwardingBackend::createDtlsCryptograph(dtls, mode);
    return new ServerAssociation(*dtls, m_contexts, m_cookieSecret);
}

QTlsPrivate::DtlsCookieVerifier *PskBackend::createDtlsCookieVerifier() const
{
    return new HelloVerifier(m_contexts, m_cookieSecret);
}

} // namespace dtlsd
