// SPDX-License-Identifier: Apache-2.0
//
// LoadSession: a device that needs as little processor time as possible, since it may share the
// processors with the server: DTLS 1.2 straight on OpenSSL, through memory BIOs. It never blocks
// and has neither socket nor timer: its owner passes datagrams in, flushes the outbox, and calls
// retransmit().
#pragma once

#include "bench/load/Outbox.h"
#include "tools/device/DeviceKey.h"

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include <openssl/ssl.h>

namespace dtlsd::bench {

class LoadSession
{
public:
    enum class State {
        Idle,    ///< nothing was sent yet
        Opening, ///< a hello was sent
        Open,
        Closed, ///< by the server, or by close()
        Failed  ///< no session was established
    };

    using Clock = std::chrono::steady_clock;
    using Context = std::shared_ptr<SSL_CTX>;

    /// Shared by all sessions; offers PSK-AES128-GCM-SHA256.
    static Context makeContext();

    /// All arguments must outlive the session.
    LoadSession(SSL_CTX &context, const Route &route, const DeviceKey &credentials, Outbox &outbox);
    LoadSession(const LoadSession &) = delete;
    LoadSession &operator=(const LoadSession &) = delete;
    [[nodiscard]] State state() const { return m_state; }
    /// When the hello was sent.
    [[nodiscard]] Clock::time_point begin() const { return m_begin; }

    /// Sends a hello.
    void open();
    /// Sends a flight again if its answer is overdue (RFC 6347 §4.2.4.1: after 1 s, 2 s, …).
    void retransmit();
    /// Takes a datagram; receive() reads it.
    void put(std::span<const char> datagram);
    /// Whether receive() has datagrams to read.
    [[nodiscard]] bool hasInput() const { return m_hasInput; }
    /// Reads the datagrams; calls @p take for each message.
    template <class Take>
    void receive(Take take)
    {
        m_hasInput = false;
        if (m_state == State::Opening)
            shakeHands();
        std::array<char, datagramSize> room; // NOLINT(*-member-init): it is large
        while (m_state == State::Open && hasUnread()) {
            const std::string_view message = read(room);
            if (message.empty())
                break;
            take(message);
        }
    }
    void send(std::string_view message);
    /// Sends close_notify.
    void close();

private:
    static unsigned giveKey(SSL *ssl, const char *hint, char *identity, unsigned identitySize,
                            unsigned char *key, unsigned keySize);
    void shakeHands();
    /// Avoids a read without data, which takes a tenth of the time of a message.
    [[nodiscard]] bool hasUnread() const
    {
        return BIO_ctrl_pending(m_input) > 0 || SSL_has_pending(m_ssl.get()) == 1;
    }
    /// Empty: no more messages.
    std::string_view read(std::span<char> room);
    void takeOutput();

    const DeviceKey &m_credentials;
    const Route m_route;
    Outbox &m_outbox;
    BIO *m_input;  // m_ssl's
    BIO *m_output; // m_ssl's
    std::unique_ptr<SSL, decltype(&SSL_free)> m_ssl;
    State m_state = State::Idle;
    bool m_hasInput = false;
    Clock::time_point m_begin;
};

} // namespace dtlsd::bench
