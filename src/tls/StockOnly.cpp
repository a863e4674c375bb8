// SPDX-License-Identifier: Apache-2.0
//
// A build without a backend of ours: Qt's own is the only one.
#include "tls/TlsBackend.h"

namespace dtlsd {

Result<> TlsBackend::activate()
{
    return Error{QStringLiteral("this build has no TLS backend of its own")};
}

} // namespace dtlsd
