// SPDX-License-Identifier: Apache-2.0
//
// What one peer leaves in OpenSSL's error queue, which a thread has only one of, Qt would report
// as another peer's error.
#pragma once

#include <openssl/err.h>

namespace dtlsd {

/// Before every call of QDtls and QDtlsClientVerifier: whatever is in it then is nobody's.
inline void emptyErrorQueue()
{
    if (ERR_peek_error() != 0) // to empty an empty one costs as much as a full one
        ERR_clear_error();
}

} // namespace dtlsd
