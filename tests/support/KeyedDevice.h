// SPDX-License-Identifier: Apache-2.0
//
// KeyedDevice: OpenSSL's own client without a network, with a record layer beside it: once it is
// connected, a test has authentic records of any type, sequence and content from it.
#pragma once

#include "core/Record.h"
#include "core/SocketAddress.h"

#include <QByteArray>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <openssl/ssl.h>

namespace dtlsd::test {

class MemoryNetwork;

class KeyedDevice
{
public:
    struct Options
    {
        QByteArray identity = "sensor-17";
        QByteArray key = QByteArray::fromHex("00112233445566778899aabbccddeeff");
        QByteArray ciphers = "PSK-AES128-GCM-SHA256";
        QByteArray groups = {};     ///< OpenSSL's names; empty: those of OpenSSL
        std::uint8_t fragments = 0; ///< code of max_fragment_length (RFC 6066 §4); 0: none
    };

    /// At @p address of @p network, which outlives it.
    KeyedDevice(MemoryNetwork &network, const SocketAddress &address, Options options);
    ~KeyedDevice();
    KeyedDevice(const KeyedDevice &) = delete;
    KeyedDevice &operator=(const KeyedDevice &) = delete;

    /// Talks until both sides are silent. true: it is connected.
    bool connect();
    /// What it sends next, not carried to the server.
    std::vector<QByteArray> takeSent();
    /// Hands it what the server has sent to it; what it answers is for takeSent().
    void listen();
    /// Carries @p datagram to the server, and hears the answers.
    void send(const QByteArray &datagram);

    /// The next record of it, authentic. It must be connected.
    QByteArray seal(ContentType type, const QByteArray &content);
    QByteArray seal(const QByteArray &message)
    {
        return seal(ContentType::ApplicationData, message);
    }

    [[nodiscard]] const SocketAddress &address() const { return m_address; }
    std::vector<QByteArray> received;
    std::vector<Alert> alerts; ///< of the server

private:
    struct Free
    {
        void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
        void operator()(SSL *ssl) const { SSL_free(ssl); }
        void operator()(BIO_METHOD *method) const { BIO_meth_free(method); }
    };

    static int read(BIO *bio, char *into, int room);
    static int write(BIO *bio, const char *datagram, int size);
    static long control(BIO *bio, int command, long number, void *pointer);
    static unsigned int provideKey(SSL *ssl, const char *hint, char *identity, unsigned int room,
                                   unsigned char *key, unsigned int keyRoom);
    static void onInfo(const SSL *ssl, int where, int value);
    void advance();
    [[nodiscard]] QByteArray keyBlock(qsizetype size) const;

    MemoryNetwork &m_network;
    SocketAddress m_address;
    Options m_options;
    std::deque<QByteArray> m_input;
    std::vector<QByteArray> m_output;
    std::uint64_t m_sequence = 1; // behind the Finished
    std::unique_ptr<BIO_METHOD, Free> m_method;
    std::unique_ptr<SSL_CTX, Free> m_context;
    std::unique_ptr<SSL, Free> m_ssl;
};

} // namespace dtlsd::test
