// SPDX-License-Identifier: Apache-2.0
#include "core/HmacSha256.h"

#include <array>

#include <openssl/core_names.h>
#include <openssl/evp.h>

namespace dtlsd {

namespace {

const unsigned char *octets(QByteArrayView bytes)
{
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

} // namespace

void HmacSha256::Free::operator()(EVP_MAC_CTX *context) const
{
    EVP_MAC_CTX_free(context);
}

HmacSha256::HmacSha256(QByteArrayView key)
{
    EVP_MAC *hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    m_context.reset(hmac ? EVP_MAC_CTX_new(hmac) : nullptr);
    EVP_MAC_free(hmac); // the context has its own reference
    std::array<char, 7> digest{"SHA256"};
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (m_context && EVP_MAC_init(m_context.get(), octets(key),
                                  static_cast<std::size_t>(key.size()), parameters.data()) != 1)
        m_context.reset();
}

QByteArray HmacSha256::of(QByteArrayView message) const
{
    QByteArray code(size, Qt::Uninitialized);
    std::size_t length = 0;
    // Without a key, EVP_MAC_init(3) starts again with the current one.
    const bool isMade =
        m_context && EVP_MAC_init(m_context.get(), nullptr, 0, nullptr) == 1 &&
        EVP_MAC_update(m_context.get(), octets(message),
                       static_cast<std::size_t>(message.size())) == 1 &&
        EVP_MAC_final(m_context.get(), reinterpret_cast<unsigned char *>(code.data()), &length,
                      static_cast<std::size_t>(code.size())) == 1;
    return isMade ? code : QByteArray();
}

} // namespace dtlsd
