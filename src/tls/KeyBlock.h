// SPDX-License-Identifier: Apache-2.0
//
// KeyBlock: the keys of an association from its master secret (RFC 5246 §6.3), by the PRF of one
// suite, which is OpenSSL's.
#pragma once

#include "tls/RecordCipher.h"
#include "wire/AssociationState.h"

#include <array>
#include <memory>

#include <openssl/kdf.h>
#include <openssl/types.h>

namespace dtlsd {

class KeyBlock
{
public:
    /// What a handshake has agreed on; wiped at the end.
    struct Secret
    {
        Secret() = default;
        Secret(const Secret &) = delete;
        Secret &operator=(const Secret &) = delete;
        ~Secret();

        std::array<unsigned char, 48> master{};
        std::array<unsigned char, 32> clientRandom{};
        std::array<unsigned char, 32> serverRandom{};
    };

    /// For suites with PRF @p digest.
    explicit KeyBlock(const EVP_MD *digest);

    /// Sets the keys of the server in @p state. false: OpenSSL fails.
    [[nodiscard]] bool derive(const Secret &secret, const RecordAlgorithm &algorithm,
                              AssociationState &state);

private:
    struct Free
    {
        void operator()(EVP_KDF_CTX *context) const { EVP_KDF_CTX_free(context); }
    };

    const EVP_MD *m_digest;
    std::unique_ptr<EVP_KDF_CTX, Free> m_context; // null: OpenSSL fails
};

} // namespace dtlsd
