// SPDX-License-Identifier: Apache-2.0
//
// KeyedClient: OpenSSL's own client without a network, with a record layer beside it: once it is
// connected, a test can make authentic records of any type, epoch, sequence number and content.
#pragma once

#include "support/TestKey.h"
#include "wire/Record.h"

#include <QByteArray>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <openssl/ssl.h>

namespace dtlsd::test {

class KeyedClient
{
public:
    struct Options
    {
        QByteArray identity = "sensor-17";
        QByteArray key = testKey;
        QByteArray ciphers = "PSK-AES128-GCM-SHA256";
        QByteArray groups = {};          ///< OpenSSL's names; empty: OpenSSL's default
        std::uint8_t fragments = 0;      ///< code of max_fragment_length (RFC 6066 §4); 0: none
        bool extendsMasterSecret = true; ///< RFC 7627
        std::optional<QByteArray> connectionId = {}; ///< RFC 9146; nullopt: asks for none
        bool checksPaths = false;                    ///< RFC 9853
    };

    explicit KeyedClient(Options options);
    ~KeyedClient();
    KeyedClient(const KeyedClient &) = delete;
    KeyedClient &operator=(const KeyedClient &) = delete;

    [[nodiscard]] bool isConnected() const { return SSL_is_init_finished(m_ssl.get()) == 1; }
    [[nodiscard]] const Options &options() const { return m_options; }
    /// The datagrams it has sent since the last call.
    std::vector<QByteArray> takeSent();
    /// Hands it a datagram of the server; takeSent() has its answers.
    void take(const QByteArray &datagram);

    /// Its Finished, once sent.
    [[nodiscard]] QByteArray ownFinished() const;
    /// OpenSSL's own next record. It must be connected, and must not seal() any.
    QByteArray sealByOpenSsl(const QByteArray &message);
    /// Its next record, authentic. It must be connected.
    QByteArray seal(ContentType type, const QByteArray &content)
    {
        return seal(type, content, 1, m_sequence++);
    }
    QByteArray seal(const QByteArray &message)
    {
        return seal(ContentType::ApplicationData, message);
    }
    /// A record of any epoch and sequence number (48 bits), with the ID of the server if it has
    /// agreed to IDs, and then with @p zeros as padding.
    [[nodiscard]] QByteArray seal(ContentType type, const QByteArray &content, std::uint16_t epoch,
                                  std::uint64_t sequence, int zeros = 0) const;
    /// The same without an ID.
    [[nodiscard]] QByteArray sealOrdinary(ContentType type, const QByteArray &content,
                                          std::uint16_t epoch, std::uint64_t sequence) const;
    /// Null: the server has agreed to no IDs.
    [[nodiscard]] const QByteArray &serverId() const { return m_serverId; }
    /// The sequence number of the next record.
    [[nodiscard]] std::uint64_t sequence() const { return m_sequence; }

    std::vector<QByteArray> heard; ///< datagrams of the server
    std::vector<QByteArray> received;
    std::vector<Alert> alerts;           ///< of the server
    std::vector<QByteArray> routability; ///< messages of RFC 9853

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
    static void onInfo(const SSL *ssl, int where, int value);
    static unsigned int provideKey(SSL *ssl, const char *hint, char *identity, unsigned int room,
                                   unsigned char *key, unsigned int keyRoom);
    struct Side; // who seals
    static int addExtension(SSL *ssl, unsigned int extension, unsigned int context,
                            const unsigned char **out, std::size_t *size, X509 *, std::size_t,
                            int *, void *);
    static int parseExtension(SSL *ssl, unsigned int extension, unsigned int context,
                              const unsigned char *in, std::size_t size, X509 *, std::size_t, int *,
                              void *);

    void advance();
    [[nodiscard]] Side client() const;
    [[nodiscard]] Side server() const;
    [[nodiscard]] QByteArray withId(const QByteArray &datagram) const;
    [[nodiscard]] QByteArray withoutId(QByteArray datagram);
    [[nodiscard]] QByteArray keyBlock(qsizetype size) const;

    Options m_options;
    std::deque<QByteArray> m_input;
    std::vector<QByteArray> m_output;
    std::uint64_t m_sequence = 1; // behind the Finished
    QByteArray m_idRequest;       // as in the hello
    QByteArray m_serverId;
    std::unique_ptr<BIO_METHOD, Free> m_method;
    std::unique_ptr<SSL_CTX, Free> m_context;
    std::unique_ptr<SSL, Free> m_ssl;
};

} // namespace dtlsd::test
