// SPDX-License-Identifier: Apache-2.0
//
// TlsBackend: the TLS backend under QDtls and QDtlsClientVerifier in this process. Qt's own makes
// an SSL_CTX for each session; ours shares one, and implements only the server's side of DTLS 1.2
// with pre-shared keys. It needs Qt's private headers, so a build may omit it, and works only with
// the Qt version it was built with.
#pragma once

#include "core/BackendKind.h"
#include "core/Result.h"

namespace dtlsd {

class TlsBackend
{
public:
    /// Whether this build has ours.
    static bool isBuiltIn();
    /// Installs our backend for every QDtls and QDtlsClientVerifier made from now on, until the
    /// process ends. Call it with a QCoreApplication, before Qt's TLS classes are first used. On
    /// failure Qt's own backend stays in force; the error says why.
    static Result<> activate();
    /// The backend in use; without activate(), Qt's.
    static BackendKind inForce();
};

} // namespace dtlsd
