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
    CleanErrorQueue() { ERR_clear_error(); }
    ~CleanErrorQueue() { ERR_clear_error(); }
    CleanErrorQueue(const CleanErrorQueue &) = delete;
    CleanErrorQueue &operator=(const CleanErrorQueue &) = delete;
};

} // namespace dtlsd
