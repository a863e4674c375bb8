// SPDX-License-Identifier: Apache-2.0
//
// For a build without our own backend: Qt's is the only one.
#include "tls/TlsBackend.h"

namespace dtlsd {

bool TlsBackend::isBuiltIn()
{
    return false;
}

Result<> TlsBackend::activate()
{
    return Error{QStringLiteral("this build has no TLS backend of its own")};
}

BackendKind TlsBackend::inForce()
{
    return BackendKind::Qt;
}

} // namespace dtlsd
