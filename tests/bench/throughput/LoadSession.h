// SPDX-License-Identifier: Apache-2.0
//
// LoadSession: a device that takes as little of the machine as it can, since the daemon it
// measures has the same processors: DTLS 1.2 straight on OpenSSL, between memory and a socket
// that is read and written in batches.
#pragma once

#include "bench/throughput/DatagramBatch.h"
#include "core/SocketAddress.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace dtlsd::bench {

class LoadSession
{
public:
    /// What all sessions share. nullptr: OpenSSL has no such suite.
    static std::shared_ptr<SSL_CTX> makeContext();

    LoadSession(SSL_CTX &context, const SocketAddress &server, std::string identity,
                DatagramBatch &batch);
    LoadSession(const LoadSession &) = delete;
    LoadSession &operator=(const LoadSession &) = delete;
    ~LoadSession();

    [[nodiscard]] int socket() const { return m_socket; }

    /// Blocks until the session is open. false: not within @p patience.
    [[nodiscard]] bool open(std::chrono::milliseconds patience);

    /// Queued until the batch is full or flush().
    void send(std::string_view message);
    void flush() { m_batch.send(m_socket); }
    /// How many messages have come.
    [[nodiscard]] int receive();

private:
    static unsigned giveKey(SSL *ssl, const char *hint, char *identity, unsigned identitySize,
                            unsigned char *key, unsigned keySize);
    void takeOutput();
    void takeInput();

    const std::string m_identity;
    DatagramBatch &m_batch;
    const int m_socket;
    BIO *m_input;  // m_ssl's
    BIO *m_output; // m_ssl's
    std::unique_ptr<SSL, decltype(&SSL_free)> m_ssl;
};

} // namespace dtlsd::bench
