// SPDX-License-Identifier: Apache-2.0
#include "tls/RecordCipher.h"

#include <QtEndian>

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace dtlsd {

namespace {

constexpr std::size_t nonceSize = 12; // RFC 5116 §5, all of these algorithms

OSSL_PARAM octets(const char *name, void *bytes, std::size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, bytes, size);
}

bool set(EVP_CIPHER_CTX *context, const OSSL_PARAM &parameter)
{
    const std::array parameters{parameter, OSSL_PARAM_construct_end()};
    return EVP_CIPHER_CTX_set_params(context, parameters.data()) == 1;
}

} // namespace

RecordCipher::RecordCipher(const RecordAlgorithm &algorithm, Direction direction)
    : m_algorithm(algorithm)
    , m_direction(direction)
    , m_context(EVP_CIPHER_CTX_new())
{
    std::size_t ivSize = nonceSize;
    std::array parameters{OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &ivSize),
                          OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (isIn(EVP_CIPH_CCM_MODE)) // which needs the size of tags before the key
        parameters[1] = octets(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, algorithm.tagSize);
    if (m_context && EVP_CipherInit_ex2(m_context.get(), algorithm.cipher.get(), nullptr, nullptr,
                                        static_cast<int>(direction), parameters.data()) != 1)
        m_context.reset();
}

bool RecordCipher::use(const AssociationState::Key &key, std::uint64_t next)
{
    std::array<unsigned char, nonceSize> nonce = key.iv;
    std::size_t given = m_algorithm.fixedIvSize;
    if (isIn(EVP_CIPH_GCM_MODE) && m_direction == Direction::Seal) {
        // Given the fixed part alone, OpenSSL would begin to count at a random number.
        qToBigEndian(next, nonce.data() + m_algorithm.fixedIvSize);
        given = static_cast<std::size_t>(-1);
    }
    return m_context &&
           EVP_CipherInit_ex2(m_context.get(), nullptr, key.key.data(), nullptr,
                              static_cast<int>(m_direction), nullptr) == 1 &&
           set(m_context.get(), octets(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, nonce.data(), given));
}

bool RecordCipher::process(AdditionalData &data, std::span<unsigned char> fragment)
{
    return set(m_context.get(),
               octets(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, data.data(), data.size())) &&
           EVP_Cipher(m_context.get(), fragment.data(), fragment.data(),
                      static_cast<unsigned int>(fragment.size())) >= 0;
}

} // namespace dtlsd
