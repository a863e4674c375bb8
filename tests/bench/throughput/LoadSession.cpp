// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/LoadSession.h"

#include "bench/throughput/Load.h"

#include <array>
#include <cstring>
#include <utility>

#include <openssl/crypto.h>
#include <poll.h>
#include <unistd.h>

namespace dtlsd::bench {

namespace {

constexpr char suite[] = "PSK-AES128-GCM-SHA256";
constexpr long mtu = 1280;
constexpr std::chrono::milliseconds retransmissionLook{100};

int connectedSocket(const SocketAddress &server)
{
    sockaddr_storage storage{};
    const socklen_t size = server.toSockaddr(storage, AF_INET);
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // One that is not connected opens no session, and open() says so.
    static_cast<void>(connect(descriptor, reinterpret_cast<const sockaddr *>(&storage), size));
    return descriptor;
}

} // namespace

std::shared_ptr<SSL_CTX> LoadSession::makeContext()
{
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(DTLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_psk_client_callback(context.get(), &LoadSession::giveKey);
    return SSL_CTX_set_cipher_list(context.get(), suite) == 1 ? context : nullptr;
}

LoadSession::LoadSession(SSL_CTX &context, const SocketAddress &server, std::string identity,
                         DatagramBatch &batch)
    : m_identity(std::move(identity))
    , m_batch(batch)
    , m_socket(connectedSocket(server))
    , m_input(BIO_new(BIO_s_mem()))
    , m_output(BIO_new(BIO_s_mem()))
    , m_ssl(SSL_new(&context), &SSL_free)
{
    BIO_set_mem_eof_return(m_input, -1); // nothing there means later, not never
    BIO_set_mem_eof_return(m_output, -1);
    SSL_set_bio(m_ssl.get(), m_input, m_output);
    SSL_set_mtu(m_ssl.get(), mtu);
    SSL_set_app_data(m_ssl.get(), this);
    SSL_set_connect_state(m_ssl.get());
}

LoadSession::~LoadSession()
{
    close(m_socket);
}

unsigned LoadSession::giveKey(SSL *ssl, const char * /*hint*/, char *identity,
                              unsigned identitySize, unsigned char *key, unsigned keySize)
{
    const std::string &own = static_cast<const LoadSession *>(SSL_get_app_data(ssl))->m_identity;
    std::size_t size = 0;
    if (own.size() >= identitySize || OPENSSL_hexstr2buf_ex(key, keySize, &size, keyHex, '\0') != 1)
        return 0;
    std::memcpy(identity, own.c_str(), own.size() + 1);
    return static_cast<unsigned>(size);
}

bool LoadSession::open(std::chrono::milliseconds patience)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (SSL_do_handshake(m_ssl.get()) != 1) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        takeOutput();
        flush();
        pollfd answer{m_socket, POLLIN, 0};
        static_cast<void>(poll(&answer, 1, static_cast<int>(retransmissionLook.count())));
        takeInput();
        DTLSv1_handle_timeout(m_ssl.get());
    }
    takeOutput();
    flush();
    return true;
}

/// What is in the output, one record of a message or a flight, becomes a datagram.
void LoadSession::takeOutput()
{
    const int size = BIO_read(m_output, m_batch.room().data(), DatagramBatch::datagramSize);
    if (size > 0)
        m_batch.add(static_cast<std::size_t>(size));
}

/// Several datagrams read as one of several records, which is the same to OpenSSL.
void LoadSession::takeInput()
{
    m_batch.receive(m_socket, [this](std::span<const char> datagram) {
        BIO_write(m_input, datagram.data(), static_cast<int>(datagram.size()));
    });
}

void LoadSession::send(std::string_view message)
{
    SSL_write(m_ssl.get(), message.data(), static_cast<int>(message.size()));
    takeOutput();
    if (m_batch.isFull())
        flush();
}

int LoadSession::receive()
{
    takeInput();
    std::array<char, DatagramBatch::datagramSize> text{};
    int count = 0;
    while (SSL_read(m_ssl.get(), text.data(), static_cast<int>(text.size())) > 0)
        ++count;
    return count;
}

} // namespace dtlsd::bench
