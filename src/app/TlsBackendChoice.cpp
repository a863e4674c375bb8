// SPDX-License-Identifier: Apache-2.0
#include "app/TlsBackendChoice.h"

#include "tls/TlsBackend.h"

namespace dtlsd {

Result<> useTlsBackend(std::optional<BackendKind> choice)
{
    if (choice == BackendKind::Qt || (!choice && !TlsBackend::isBuiltIn()))
        return success();
    if (const Result<> activated = TlsBackend::activate(); !activated)
        return Error{(choice
                          ? QStringLiteral("[tls] backend = dtlsd: %1; backend = qt takes Qt's own")
                          : QStringLiteral("[tls] backend: %1; Qt's own is used, which is slower"))
                         .arg(activated.error().message)};
    return success();
}

} // namespace dtlsd
