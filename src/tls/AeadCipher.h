// SPDX-License-Identifier: Apache-2.0
//
// AeadCipher: OpenSSL's AEAD under one key and in one direction, with any nonce and any additional
// data (RFC 5116). Records with connection IDs need it: OpenSSL's mode for TLS, which RecordCipher
// uses, knows the additional data of ordinary records alone.
#pragma once

#include "tls/RecordCipher.h"
#include "wire/AssociationState.h"

#include <array>
#include <memory>
#include <span>

#include <openssl/evp.h>

namespace dtlsd {

class AeadCipher
{
public:
    using Direction = RecordCipher::Direction;
    using Nonce = std::array<unsigned char, 12>;

    /// @p algorithm must outlive it.
    AeadCipher(const RecordAlgorithm &algorithm, Direction direction);

    /// Takes another key. false: OpenSSL fails, and process() must not be called.
    [[nodiscard]] bool use(const AssociationState::Key &key);

    /// Seals or opens @p sealed in place: text, and tag or room for it. No nonce may be sealed with
    /// twice under a key. false: the tag is wrong, or OpenSSL fails.
    [[nodiscard]] bool process(const Nonce &nonce, std::span<const unsigned char> additional,
                               std::span<unsigned char> sealed);

private:
    struct Free
    {
        void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
    };

    [[nodiscard]] bool crypt(std::span<const unsigned char> additional,
                             std::span<unsigned char> text);

    const RecordAlgorithm &m_algorithm;
    const Direction m_direction;
    const bool m_isCcm;
    std::unique_ptr<EVP_CIPHER_CTX, Free> m_context; // null: OpenSSL fails
};

} // namespace dtlsd
