// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL's error queue: a thread has only one, so Qt would report an error left in it by one peer
// as the error of another.
#pragma once

#include <openssl/err.h>

namespace dtlsd {

/// Call it before every call of QDtls and QDtlsClientVerifier.
inline void emptyErrorQueue()
{
    if (ERR_peek_error() != 0) // ERR_clear_error() is slow even on an empty queue
        ERR_clear_error();
}

} // namespace dtlsd
