// SPDX-License-Identifier: Apache-2.0
#include "tls/ServerContext.h"

#include <algorithm>
#include <array>

#include <private/qtlsbackend_p.h>

namespace dtlsd {

namespace {

ServerContext::Session &sessionOf(SSL *ssl)
{
    return *static_cast<ServerContext::Session *>(SSL_get_app_data(ssl));
}

unsigned int provideKey(SSL *ssl, const char *identity, unsigned char *key, unsigned int room)
{
    return static_cast<unsigned int>(sessionOf(ssl).provideKey(identity, {key, room}));
}

int verifyCookie(SSL *ssl, const unsigned char *cookie, unsigned int size)
{
    return sessionOf(ssl).isItsCookie({cookie, size}) ? 1 : 0;
}

// Clients without a valid cookie got their HelloVerifyRequest before there was an SSL.
int makeNoCookie(SSL *, unsigned char *, unsigned int *)
{
    return 0;
}

/// ServerHandshake repeats its flights itself. OpenSSL 3.5 drops the record that comes when a time
/// of its own has passed.
unsigned int neverSoon(SSL *, unsigned int)
{
    constexpr unsigned int hour = 3'600'000'000; // µs
    return hour;
}

int takeExtension(SSL *ssl, unsigned int extension, unsigned int, const unsigned char *request,
                  std::size_t size, X509 *, std::size_t, int *alert, void *)
{
    if (sessionOf(ssl).takeExtension(extension, {request, size}))
        return 1;
    *alert = SSL_AD_DECODE_ERROR;
    return 0;
}

int answerExtension(SSL *ssl, unsigned int extension, unsigned int, const unsigned char **answer,
                    std::size_t *size, X509 *, std::size_t, int *, void *)
{
    const auto given = sessionOf(ssl).answerExtension(extension);
    if (!given)
        return 0;
    *answer = given->data();
    *size = given->size();
    return 1;
}

bool addExtension(SSL_CTX *context, unsigned int extension)
{
    return SSL_CTX_add_custom_ext(context, extension,
                                  SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO,
                                  &answerExtension, nullptr, nullptr, &takeExtension, nullptr) == 1;
}

bool setUp(SSL_CTX *context, const ServerContext::Options &options)
{
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_COOKIE_EXCHANGE | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_psk_server_callback(context, &provideKey);
    SSL_CTX_set_cookie_verify_cb(context, &verifyCookie);
    SSL_CTX_set_cookie_generate_cb(context, &makeNoCookie);
    const char *hint = options.identityHint.isEmpty() ? nullptr : options.identityHint.constData();
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, options.ciphers.constData()) == 1 &&
           (options.groups.isEmpty() ||
            SSL_CTX_set1_groups_list(context, options.groups.constData()) == 1) &&
           SSL_CTX_use_psk_identity_hint(context, hint) == 1 &&
           addExtension(context, ServerContext::connectionId) &&
           addExtension(context, ServerContext::returnRoutability);
}

QSslCipher describe(const SSL_CIPHER *cipher)
{
    std::array<char, 256> text{};
    int algorithmBits = 0;
    const int usedBits = SSL_CIPHER_get_bits(cipher, &algorithmBits);
    const char *description = SSL_CIPHER_description(cipher, text.data(), text.size());
    return QTlsBackend::createCiphersuite(QString::fromLatin1(description), usedBits,
                                          algorithmBits);
}

} // namespace

std::shared_ptr<ServerContext> ServerContext::make(const Options &options)
{
    std::shared_ptr<ServerContext> made(new ServerContext);
    made->m_options = options;
    made->m_context.reset(SSL_CTX_new(DTLS_server_method()));
    const bool isWhole =
        made->m_context && made->m_datagrams.get() && setUp(made->m_context.get(), options);
    return isWhole ? made : nullptr;
}

ServerContext::UniqueSsl ServerContext::newSsl(Session &session)
{
    UniqueSsl ssl(SSL_new(m_context.get()));
    if (!ssl)
        return nullptr;
    SSL_set_app_data(ssl.get(), &session);
    BIO_up_ref(m_datagrams.get());
    SSL_set_bio(ssl.get(), m_datagrams.get(), m_datagrams.get());
    SSL_set_accept_state(ssl.get());
    DTLS_set_timer_cb(ssl.get(), &neverSoon);
    return ssl;
}

QSslCipher ServerContext::cipherOf(const SSL &ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(&ssl);
    const auto known =
        std::ranges::find(m_ciphers, cipher, &decltype(m_ciphers)::value_type::first);
    if (known != m_ciphers.end())
        return known->second;
    return m_ciphers.emplace_back(cipher, describe(cipher)).second;
}

} // namespace dtlsd
