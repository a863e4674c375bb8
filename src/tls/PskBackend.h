// SPDX-License-Identifier: Apache-2.0
//
// PskBackend: a QTlsBackend that makes the server's side of QDtls, and QDtlsClientVerifier, its own
// way, and leaves everything else to Qt's.
#pragma once

#include "tls/ForwardingBackend.h"
#include "tls/ThreadContexts.h"

#include <QByteArray>

namespace dtlsd {

class PskBackend final : public ForwardingBackend
{
    Q_OBJECT

public:
    explicit PskBackend(QTlsBackend &qts);

    static QString name() { return QStringLiteral("dtlsd"); }
    [[nodiscard]] QString backendName() const override { return name(); }

    [[nodiscard]] QTlsPrivate::DtlsCryptograph *createDtlsCryptograph(QDtls *dtls,
                                                                      int mode) const override;
    [[nodiscard]] QTlsPrivate::DtlsCookieVerifier *createDtlsCookieVerifier() const override;

private:
    const QByteArray m_cookieSecret; // of those who were given none
    mutable Contexts m_contexts;
};

} // namespace dtlsd
