// SPDX-License-Identifier: Apache-2.0
#include "tls/AeadCipher.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace dtlsd {

AeadCipher::AeadCipher(const RecordAlgorithm &algorithm, Direction direction)
    : m_algorithm(algorithm)
    , m_direction(direction)
    , m_isCcm(EVP_CIPHER_get_mode(algorithm.cipher.get()) == EVP_CIPH_CCM_MODE)
    , m_context(EVP_CIPHER_CTX_new())
{
    std::size_t ivSize = Nonce().size();
    const std::array parameters{
        OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &ivSize),
        // CCM needs the size of tags before the key; to others it means nothing while opening.
        m_isCcm ? OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr,
                                                    algorithm.tagSize)
                : OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end()};
    if (m_context && EVP_CipherInit_ex2(m_context.get(), algorithm.cipher.get(), nullptr, nullptr,
                                        static_cast<int>(direction), parameters.data()) != 1)
        m_context.reset();
}

bool AeadCipher::use(const AssociationState::Key &key)
{
    return m_context && EVP_CipherInit_ex2(m_context.get(), nullptr, key.key.data(), nullptr,
                                           static_cast<int>(m_direction), nullptr) == 1;
}

bool AeadCipher::process(const Nonce &nonce, std::span<const unsigned char> additional,
                         std::span<unsigned char> sealed)
{
    if (sealed.size() < m_algorithm.tagSize)
        return false;
    const auto text = sealed.first(sealed.size() - m_algorithm.tagSize);
    const auto tag = sealed.last(m_algorithm.tagSize);
    EVP_CIPHER_CTX *context = m_context.get();
    const auto withTag = [&](int command) {
        return EVP_CIPHER_CTX_ctrl(context, command, static_cast<int>(tag.size()), tag.data()) == 1;
    };
    const bool isOpening = m_direction == Direction::Open;
    return EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(),
                              static_cast<int>(m_direction), nullptr) == 1 &&
           (!isOpening || withTag(EVP_CTRL_AEAD_SET_TAG)) && crypt(additional, text) &&
           (isOpening || withTag(EVP_CTRL_AEAD_GET_TAG));
}

bool AeadCipher::crypt(std::span<const unsigned char> additional, std::span<unsigned char> text)
{
    EVP_CIPHER_CTX *context = m_context.get();
    int done = 0;
    const auto size = static_cast<int>(text.size());
    if (m_isCcm && EVP_CipherUpdate(context, nullptr, &done, nullptr, size) != 1)
        return false; // its first block has the length
    if (EVP_CipherUpdate(context, nullptr, &done, additional.data(),
                         static_cast<int>(additional.size())) != 1 ||
        EVP_CipherUpdate(context, text.data(), &done, text.data(), size) != 1)
        return false;
    std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> none{};
    // CCM has checked the tag already.
    return m_isCcm || EVP_CipherFinal_ex(context, none.data(), &done) == 1;
}

} // namespace dtlsd
