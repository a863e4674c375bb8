// SPDX-License-Identifier: Apache-2.0
//
// ServerContext: the SSL_CTX that all handshakes of one configuration and one thread share, with
// objects that they use in turn. DTLS 1.2 with pre-shared keys and cookies; no tickets, session
// cache, renegotiation or encrypt-then-MAC.
#pragma once

#include "tls/DatagramBio.h"

#include <QByteArray>
#include <QSslCipher>

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <openssl/ssl.h>

namespace dtlsd {

class ServerContext
{
public:
    struct Options
    {
        QByteArray ciphers;      ///< an OpenSSL cipher string
        QByteArray groups;       ///< as in SSL_CTX_set1_groups_list(3); empty: OpenSSL's default
        QByteArray identityHint; ///< sent when not empty (RFC 4279 §5.2)

        friend bool operator==(const Options &, const Options &) = default;
    };

    /// The callbacks of a handshake.
    class Session
    {
    public:
        /// Writes the key of @p identity to @p room, and returns its size; 0: no key.
        virtual std::size_t provideKey(const char *identity, std::span<unsigned char> room) = 0;
        [[nodiscard]] virtual bool isItsCookie(std::span<const unsigned char> cookie) const = 0;
        /// What the hello has in @p extension; false: it is malformed.
        [[nodiscard]] virtual bool takeExtension(unsigned int extension,
                                                 std::span<const unsigned char> request) = 0;
        /// The answer to it; nullopt: none.
        [[nodiscard]] virtual std::optional<std::span<const unsigned char>>
        answerExtension(unsigned int extension) = 0;

    protected:
        ~Session() = default;
    };

    // Extensions that OpenSSL does not know.
    static constexpr unsigned int connectionId = 54;      ///< RFC 9146 §3
    static constexpr unsigned int returnRoutability = 61; ///< RFC 9853 §3

    struct Free
    {
        void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
        void operator()(SSL *session) const { SSL_free(session); }
    };
    using UniqueSsl = std::unique_ptr<SSL, Free>;

    /// nullptr: OpenSSL rejects the options.
    static std::shared_ptr<ServerContext> make(const Options &options);

    [[nodiscard]] const Options &options() const { return m_options; }
    /// A new SSL, which uses datagrams() and calls @p session, which must outlive it; nullptr: no
    /// memory. SSLs are not reused: SSL_clear() leaves a former peer's master secret and
    /// supported_groups in them.
    [[nodiscard]] UniqueSsl newSsl(Session &session);
    [[nodiscard]] DatagramBio &datagrams() { return m_datagrams; }
    /// The cipher of an established session.
    [[nodiscard]] QSslCipher cipherOf(const SSL &ssl);

private:
    ServerContext() = default;

    Options m_options;
    DatagramBio m_datagrams;
    std::vector<std::pair<const SSL_CIPHER *, QSslCipher>> m_ciphers; // cache of cipherOf()
    std::unique_ptr<SSL_CTX, Free> m_context;
};

} // namespace dtlsd
