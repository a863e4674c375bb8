// SPDX-License-Identifier: Apache-2.0
//
// What one peer leaves in OpenSSL's error queue, which a thread has only one of, Qt would report
// as another peer's error.
#pragma once

#include <openssl/err.h>

namespace dtlsd {

/// Stands at the top of every function that calls QDtls or QDtlsClientVerifier.
class CleanErrorQueue
{
public:
    CleanErrorQueue() { clear(); }
    ~CleanErrorQueue() { clear(); }
    CleanErrorQueue(const CleanErrorQueue &) = delete;
    CleanErrorQueue &operator=(const CleanErrorQueue &) = delete;

private:
    static void clear()
    {
        if (ERR_peek_error() != 0) // clearing an empty one costs as much as a full one
            ERR_clear_error();
    }
};

} // namespace dtlsd
