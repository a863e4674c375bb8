// SPDX-License-Identifier: Apache-2.0
//
// PskBackend: a QTlsBackend that implements QDtls in server mode and QDtlsClientVerifier itself,
// and forwards everything else to Qt's backend.
#pragma once

#include "core/BackendKind.h"
#include "tls/ForwardingBackend.h"
#include "tls/ThreadContexts.h"

#include <QByteArray>

namespace dtlsd {

class PskBackend final : public ForwardingBackend
{
    Q_OBJECT

public:
    explicit PskBackend(QTlsBackend &qts);

    static QString name() { return nameIn(backendNames, BackendKind::Dtlsd); }
    [[nodiscard]] QString backendName() const override { return name(); }

    [[nodiscard]] QTlsPrivate::DtlsCryptograph *createDtlsCryptograph(QDtls *dtls,
                                                                      int mode) const override;
    [[nodiscard]] QTlsPrivate::DtlsCookieVerifier *createDtlsCookieVerifier() const override;

private:
    const QByteArray m_cookieSecret; // the default, if no other is set
    mutable Contexts m_contexts;
};

} // namespace dtlsd
