// SPDX-License-Identifier: Apache-2.0
//
// DecoyKeys: a key that nobody holds for each identity, always the same, so that a handshake for an
// identity that is not there looks like one with a wrong key (RFC 4279 §2). For one thread.
#pragma once

#include <QByteArray>

#include <memory>

#include <openssl/types.h>

namespace dtlsd {

class DecoyKeys
{
public:
    /// @p secret of at least 32 bytes from a cryptographic generator. std::runtime_error if OpenSSL
    /// has no HMAC with SHA-256.
    explicit DecoyKeys(const QByteArray &secret);

    /// 32 bytes: the HMAC of @p identity. Empty if there is no memory for it.
    [[nodiscard]] QByteArray keyFor(const QByteArray &identity) const;

private:
    struct Free
    {
        void operator()(EVP_MAC_CTX *context) const;
    };

    // Looking the algorithm up and hashing the secret costs more than an identity does: once.
    std::unique_ptr<EVP_MAC_CTX, Free> m_context;
};

} // namespace dtlsd
