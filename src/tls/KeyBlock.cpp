// SPDX-License-Identifier: Apache-2.0
#include "tls/KeyBlock.h"

#include <algorithm>
#include <string>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace dtlsd {

namespace {

/// Copies the next @p size bytes of the key block.
template <std::size_t room>
void take(const unsigned char *&from, std::size_t size, std::array<unsigned char, room> &to)
{
    to = {};
    std::copy_n(from, size, to.begin());
    from += size;
}

template <std::size_t size>
OSSL_PARAM octets(const char *name, const std::array<unsigned char, size> &bytes)
{
    // OpenSSL's interface has no constant parameters, but it does not write to this one.
    return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char *>(bytes.data()), size);
}

} // namespace

KeyBlock::Secret::~Secret()
{
    OPENSSL_cleanse(this, sizeof *this);
}

KeyBlock::KeyBlock(const EVP_MD *digest)
    : m_digest(digest)
{
    EVP_KDF *prf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr);
    m_context.reset(prf ? EVP_KDF_CTX_new(prf) : nullptr);
    EVP_KDF_free(prf); // the context has its own reference
}

bool KeyBlock::derive(const Secret &secret, const RecordAlgorithm &algorithm,
                      AssociationState &state)
{
    std::string digest = EVP_MD_get0_name(m_digest);
    std::string label = "key expansion";
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        octets(OSSL_KDF_PARAM_SECRET, secret.master),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label.data(), label.size()),
        octets(OSSL_KDF_PARAM_SEED, secret.serverRandom),
        octets(OSSL_KDF_PARAM_SEED, secret.clientRandom),
        OSSL_PARAM_construct_end()};
    std::array<unsigned char, sizeof state.read + sizeof state.write> block{};
    const std::size_t size = 2 * (algorithm.keySize + algorithm.fixedIvSize);
    const bool isMade =
        m_context && EVP_KDF_derive(m_context.get(), block.data(), size, parameters.data()) == 1;
    if (isMade) {
        const unsigned char *rest = block.data();
        take(rest, algorithm.keySize, state.read.key); // the client writes with it
        take(rest, algorithm.keySize, state.write.key);
        take(rest, algorithm.fixedIvSize, state.read.iv);
        take(rest, algorithm.fixedIvSize, state.write.iv);
    }
    OPENSSL_cleanse(block.data(), block.size());
    if (m_context)
        EVP_KDF_CTX_reset(m_context.get()); // which wipes its secret
    return isMade;
}

} // namespace dtlsd
