// SPDX-License-Identifier: Apache-2.0
#include "bench/load/LoadSession.h"

#include <cstring>

#include <openssl/err.h>

namespace dtlsd::bench {

namespace {

constexpr long mtu = 1280;

/// Errors left by another session would be taken for this session's.
void clearErrors()
{
    if (ERR_peek_error() != 0) // clearing an empty queue costs as much as a full one
        ERR_clear_error();
}

} // namespace

LoadSession::Context LoadSession::makeContext()
{
    Context context(SSL_CTX_new(DTLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_psk_client_callback(context.get(), &LoadSession::giveKey);
    SSL_CTX_set_cipher_list(context.get(), "PSK-AES128-GCM-SHA256");
    return context;
}

LoadSession::LoadSession(SSL_CTX &context, const Route &route, const DeviceKey &credentials,
                         Outbox &outbox)
    : m_credentials(credentials)
    , m_route(route)
    , m_outbox(outbox)
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

unsigned LoadSession::giveKey(SSL *ssl, const char * /*hint*/, char *identity,
                              unsigned identitySize, unsigned char *key, unsigned keySize)
{
    const DeviceKey &own = static_cast<const LoadSession *>(SSL_get_app_data(ssl))->m_credentials;
    const QByteArray &bytes = own.key.bytes();
    if (own.identity.size() >= qsizetype{identitySize} || bytes.size() > qsizetype{keySize})
        return 0;
    std::memcpy(identity, own.identity.constData(),
                static_cast<std::size_t>(own.identity.size() + 1));
    std::memcpy(key, bytes.constData(), static_cast<std::size_t>(bytes.size()));
    return static_cast<unsigned>(bytes.size());
}

void LoadSession::open()
{
    m_begin = Clock::now();
    m_state = State::Opening;
    shakeHands();
}

void LoadSession::shakeHands()
{
    clearErrors();
    const int done = SSL_do_handshake(m_ssl.get());
    if (done == 1)
        m_state = State::Open;
    else if (SSL_get_error(m_ssl.get(), done) != SSL_ERROR_WANT_READ)
        m_state = State::Failed;
    takeOutput();
}

void LoadSession::retransmit()
{
    if (m_state != State::Opening)
        return;
    clearErrors();
    if (DTLSv1_handle_timeout(m_ssl.get()) < 0)
        m_state = State::Failed;
    takeOutput();
}

/// Sends the output, the record of a message or a flight, as one datagram.
void LoadSession::takeOutput()
{
    const int size = BIO_read(m_output, m_outbox.room(m_route).data(), datagramSize);
    if (size > 0)
        m_outbox.add(m_route, static_cast<std::size_t>(size));
}

/// OpenSSL reads several datagrams like one datagram with several records.
void LoadSession::put(std::span<const char> datagram)
{
    BIO_write(m_input, datagram.data(), static_cast<int>(datagram.size()));
    m_hasInput = true;
}

void LoadSession::send(std::string_view message)
{
    clearErrors();
    SSL_write(m_ssl.get(), message.data(), static_cast<int>(message.size()));
    takeOutput();
}

std::string_view LoadSession::read(std::span<char> room)
{
    clearErrors();
    const int size = SSL_read(m_ssl.get(), room.data(), static_cast<int>(room.size()));
    if (size > 0)
        return {room.data(), static_cast<std::size_t>(size)};
    if (SSL_get_error(m_ssl.get(), size) != SSL_ERROR_WANT_READ)
        m_state = State::Closed;
    return {};
}

void LoadSession::close()
{
    if (m_state == State::Open) {
        clearErrors();
        SSL_shutdown(m_ssl.get());
        takeOutput();
    }
    m_state = State::Closed;
}

} // namespace dtlsd::bench
