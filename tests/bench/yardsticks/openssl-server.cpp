// SPDX-License-Identifier: Apache-2.0
//
// Usage: openssl-server PORT KEYFILE
// The simplest DTLS server straight on OpenSSL, for comparison: one thread, one blocking socket, a
// system call for each datagram in and out, one SSL_CTX, a hash table of peers. It echoes, answers
// a close_notify as RFC 5246 §7.2.1 demands, and forgets that peer. It has no log and no limits, so
// it must not be used for anything else. Prints `ready` on standard output.
#include "bench/yardsticks/Yardstick.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

using dtlsd::bench::Yardstick;

namespace {

constexpr char suites[] = "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305";
constexpr long mtu = 1280;
constexpr std::size_t datagramSize = std::size_t{16} << 10;
using Cookie = std::array<unsigned char, 32>;

class Peer
{
public:
    Peer(SSL_CTX &context, const sockaddr_in &address)
        : m_address(address)
        , m_ssl(SSL_new(&context), &SSL_free)
        , m_input(BIO_new(BIO_s_mem()))
        , m_output(BIO_new(BIO_s_mem()))
    {
        BIO_set_mem_eof_return(m_input, -1);
        BIO_set_mem_eof_return(m_output, -1);
        SSL_set_bio(m_ssl.get(), m_input, m_output);
        SSL_set_mtu(m_ssl.get(), mtu);
        SSL_set_app_data(m_ssl.get(), this);
        SSL_set_accept_state(m_ssl.get());
    }

    /// false: the peer has closed, or its handshake has failed.
    bool take(const char *datagram, std::size_t size, int socket)
    {
        ERR_clear_error();
        BIO_write(m_input, datagram, static_cast<int>(size));
        std::array<char, datagramSize> text; // NOLINT(*-member-init): it is large
        int count = 0;
        while ((count = SSL_read(m_ssl.get(), text.data(), static_cast<int>(text.size()))) > 0) {
            SSL_write(m_ssl.get(), text.data(), count);
            flush(socket);
        }
        const int error = SSL_get_error(m_ssl.get(), count);
        if (error == SSL_ERROR_ZERO_RETURN)
            SSL_shutdown(m_ssl.get());
        flush(socket);
        return error == SSL_ERROR_WANT_READ;
    }

    [[nodiscard]] const sockaddr_in &address() const { return m_address; }

private:
    void flush(int socket)
    {
        std::array<char, datagramSize> datagram; // NOLINT(*-member-init): it is large
        const int size = BIO_read(m_output, datagram.data(), static_cast<int>(datagram.size()));
        if (size > 0)
            static_cast<void>(sendto(socket, datagram.data(), static_cast<std::size_t>(size), 0,
                                     reinterpret_cast<const sockaddr *>(&m_address),
                                     sizeof m_address));
    }

    const sockaddr_in m_address;
    std::unique_ptr<SSL, decltype(&SSL_free)> m_ssl;
    BIO *m_input;  // m_ssl's
    BIO *m_output; // m_ssl's
};

struct Secrets
{
    std::string key;
    Cookie cookie{};
};

const Secrets &secretsOf(SSL *ssl)
{
    return *static_cast<const Secrets *>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

unsigned giveKey(SSL *ssl, const char * /*identity*/, unsigned char *key, unsigned size)
{
    const std::string &own = secretsOf(ssl).key;
    if (own.size() > size)
        return 0;
    std::copy(own.begin(), own.end(), key);
    return static_cast<unsigned>(own.size());
}

int makeCookie(SSL *ssl, unsigned char *cookie, unsigned *size)
{
    const Secrets &secrets = secretsOf(ssl);
    const sockaddr_in &address = static_cast<const Peer *>(SSL_get_app_data(ssl))->address();
    HMAC(EVP_sha256(), secrets.cookie.data(), static_cast<int>(secrets.cookie.size()),
         reinterpret_cast<const unsigned char *>(&address), sizeof address, cookie, size);
    return 1;
}

int checkCookie(SSL *ssl, const unsigned char *cookie, unsigned size)
{
    Cookie expected{};
    unsigned expectedSize = 0;
    makeCookie(ssl, expected.data(), &expectedSize);
    return size == expectedSize && CRYPTO_memcmp(cookie, expected.data(), size) == 0 ? 1 : 0;
}

std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> makeContext(Secrets &secrets)
{
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(DTLS_server_method()),
                                                              &SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
                                           SSL_OP_NO_RENEGOTIATION | SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cipher_list(context.get(), suites);
    SSL_CTX_set_psk_server_callback(context.get(), &giveKey);
    SSL_CTX_set_cookie_generate_cb(context.get(), &makeCookie);
    SSL_CTX_set_cookie_verify_cb(context.get(), &checkCookie);
    SSL_CTX_set_app_data(context.get(), &secrets);
    return context;
}

std::uint64_t keyOf(const sockaddr_in &address)
{
    return std::uint64_t{address.sin_addr.s_addr} << 16 | address.sin_port;
}

void serve(int socket, SSL_CTX &context)
{
    std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers;
    std::array<char, datagramSize> datagram{};
    while (true) {
        sockaddr_in address{};
        socklen_t length = sizeof address;
        const ssize_t size = recvfrom(socket, datagram.data(), datagram.size(), 0,
                                      reinterpret_cast<sockaddr *>(&address), &length);
        if (size <= 0)
            continue; // EINTR, or an ICMP error for a datagram to a peer that has gone
        std::unique_ptr<Peer> &peer = peers[keyOf(address)];
        if (!peer)
            peer = std::make_unique<Peer>(context, address);
        if (!peer->take(datagram.data(), static_cast<std::size_t>(size), socket))
            peers.erase(keyOf(address));
    }
}

} // namespace

int main(int argc, char **argv)
{
    const auto options = Yardstick::parse(argc, argv);
    if (!options)
        return EXIT_FAILURE;
    Secrets secrets{options->key, {}};
    const int socket = dtlsd::bench::makeSocket(options->port);
    if (socket < 0 || RAND_bytes(secrets.cookie.data(), sizeof secrets.cookie) != 1) {
        std::cerr << "port " << options->port << ": " << std::strerror(errno) << "\n";
        return EXIT_FAILURE;
    }
    const auto context = makeContext(secrets);
    std::cout << "ready\n" << std::flush;
    serve(socket, *context);
}
