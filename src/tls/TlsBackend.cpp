// SPDX-License-Identifier: Apache-2.0
#include "tls/TlsBackend.h"

#include "tls/PskBackend.h"

#include <QSslSocket>

#include <cstring>

namespace dtlsd {

bool TlsBackend::isBuiltIn()
{
    return true;
}

Result<> TlsBackend::activate()
{
    if (std::strcmp(qVersion(), QT_VERSION_STR) != 0)
        return Error{QStringLiteral("the TLS backend was built for Qt %1, and this is Qt %2")
                         .arg(QLatin1StringView(QT_VERSION_STR), QLatin1StringView(qVersion()))};
    const QString qtsName = QTlsBackend::builtinBackendNames[QTlsBackend::nameIndexOpenSSL];
    QTlsBackend *qts = QTlsBackend::findBackend(qtsName);
    if (!qts)
        return Error{QStringLiteral("Qt's OpenSSL plugin is not installed")};
    if (!QTlsBackend::availableBackendNames().contains(PskBackend::name()))
        new PskBackend(*qts); // owned by Qt, which deletes it with the QCoreApplication
    if (!QSslSocket::setActiveBackend(PskBackend::name()))
        return Error{
            QStringLiteral("Qt uses the TLS backend %1 already").arg(QSslSocket::activeBackend())};
    return success();
}

BackendKind TlsBackend::inForce()
{
    return QSslSocket::activeBackend() == PskBackend::name() ? BackendKind::Dtlsd : BackendKind::Qt;
}

} // namespace dtlsd
