// SPDX-License-Identifier: Apache-2.0
//
// HmacSha256: HMAC with SHA-256 (RFC 2104) under one key, for one thread. OpenSSL's HMAC() fetches
// its algorithm and hashes the key on each call, which costs more than a short message.
#pragma once

#include <QByteArray>

#include <memory>

#include <openssl/types.h>

namespace dtlsd {

class HmacSha256
{
public:
    static constexpr qsizetype size = 32; ///< bytes

    explicit HmacSha256(QByteArrayView key);

    /// Empty: OpenSSL has no HMAC with SHA-256, or no memory.
    [[nodiscard]] QByteArray of(QByteArrayView message) const;

private:
    struct Free
    {
        void operator()(EVP_MAC_CTX *context) const;
    };

    std::unique_ptr<EVP_MAC_CTX, Free> m_context;
};

} // namespace dtlsd
