// SPDX-License-Identifier: Apache-2.0
//
// RecordCipher: OpenSSL's AEAD cipher for records of DTLS 1.2, under one key and in one direction.
// OpenSSL's mode for TLS makes the nonce, from the fixed IV and the explicit part or the sequence
// number (RFC 5288 §3, RFC 6655 §3, RFC 7905 §2), at half the cost of its general interface.
#pragma once

#include "wire/AssociationState.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <openssl/evp.h>

namespace dtlsd {

/// How a suite protects records. Sizes are in bytes.
struct RecordAlgorithm
{
    struct Free
    {
        void operator()(EVP_CIPHER *fetched) const { EVP_CIPHER_free(fetched); }
    };

    std::unique_ptr<EVP_CIPHER, Free> cipher;
    std::size_t keySize = 0;
    std::size_t fixedIvSize = 0;    ///< from the key block (RFC 5246 §6.3)
    std::size_t explicitIvSize = 0; ///< at the beginning of each record
    std::size_t tagSize = 0;        ///< at its end
};

class RecordCipher
{
public:
    enum class Direction { Open = 0, Seal = 1 };

    /// Sequence number with epoch, type, version, length (RFC 5246 §6.2.3.3).
    using AdditionalData = std::array<unsigned char, 13>;

    /// @p algorithm must outlive it.
    RecordCipher(const RecordAlgorithm &algorithm, Direction direction);

    /// Takes another key. @p next begins the explicit nonces of a sealing GCM cipher, which counts
    /// them. false: OpenSSL fails, and process() must not be called.
    [[nodiscard]] bool use(const AssociationState::Key &key, std::uint64_t next);

    /// Seals or opens @p fragment in place: explicit nonce, text, and tag or room for it. The
    /// length in @p data is that of @p fragment, when sealing without the tag. false: the tag is
    /// wrong, or OpenSSL fails.
    [[nodiscard]] bool process(AdditionalData &data, std::span<unsigned char> fragment);

private:
    struct Free
    {
        void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
    };

    [[nodiscard]] bool isIn(int mode) const
    {
        return EVP_CIPHER_get_mode(m_algorithm.cipher.get()) == mode;
    }

    const RecordAlgorithm &m_algorithm;
    const Direction m_direction;
    std::unique_ptr<EVP_CIPHER_CTX, Free> m_context; // null: OpenSSL fails
};

} // namespace dtlsd
