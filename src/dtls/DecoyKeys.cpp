// SPDX-License-Identifier: Apache-2.0
#include "dtls/DecoyKeys.h"

#include <array>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>

namespace dtlsd {

namespace {

constexpr qsizetype keySize = 32;

const unsigned char *octets(const QByteArray &bytes)
{
    return reinterpret_cast<const unsigned char *>(bytes.constData());
}

} // namespace

void DecoyKeys::Free::operator()(EVP_MAC_CTX *context) const
{
    EVP_MAC_CTX_free(context);
}

DecoyKeys::DecoyKeys(const QByteArray &secret)
{
    EVP_MAC *hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    m_context.reset(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac); // the context has its own reference
    std::array<char, 7> digest{"SHA256"};
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (!m_context || EVP_MAC_init(m_context.get(), octets(secret),
                                   static_cast<std::size_t>(secret.size()), parameters.data()) != 1)
        throw std::runtime_error("OpenSSL has no HMAC with SHA-256");
}

QByteArray DecoyKeys::keyFor(const QByteArray &identity) const
{
    QByteArray key(keySize, Qt::Uninitialized);
    std::size_t size = 0;
    // Without a key, it begins anew with the one that it has.
    if (EVP_MAC_init(m_context.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(m_context.get(), octets(identity),
                       static_cast<std::size_t>(identity.size())) != 1 ||
        EVP_MAC_final(m_context.get(), reinterpret_cast<unsigned char *>(key.data()), &size,
                      keySize) != 1)
        return {};
    return key;
}

} // namespace dtlsd
