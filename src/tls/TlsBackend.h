// SPDX-License-Identifier: Apache-2.0
//
// TlsBackend: what stands under QDtls and QDtlsClientVerifier in this process. Qt's own makes an
// SSL_CTX for each session; ours shares one, and keeps to what dtlsd needs: the server's side of
// DTLS 1.2 with pre-shared keys. It is made against Qt's private headers, so it may be left out of
// a build, and works with the very version of Qt that it was built with.
#pragma once

#include "core/Result.h"

namespace dtlsd {

class TlsBackend
{
public:
    /// Puts ours under every QDtls and QDtlsClientVerifier that is made from now on, until the
    /// process ends. To be called before Qt's TLS classes are first used, with a QCoreApplication.
    /// The error says why that was impossible; then Qt's own stays in force.
    static Result<> activate();
};

} // namespace dtlsd
