// SPDX-License-Identifier: Apache-2.0
//
// ServerHandshake: a handshake of OpenSSL's on the server's side, from a verified ClientHello until
// all that remains of it is an AssociationState. The SSL ends with it.
//
// What OpenSSL writes is held back: it protects records with nonces of its own, and under one key
// only one may count; and it repeats them by a clock of its own. What is unencrypted leaves under
// our numbers, each of them once; of what is encrypted, the Finished alone leaves, sealed anew. The
// Finished of the peer is opened here as well: OpenSSL does not know of connection IDs, and gets it
// as an ordinary record.
#pragma once

#include "tls/HandshakeTimers.h"
#include "tls/RecordProtection.h"
#include "tls/ServerContext.h"
#include "tls/ThreadContexts.h"
#include "wire/AssociationState.h"
#include "wire/Record.h"

#include <QByteArray>
#include <QDtls>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dtlsd {

class ServerHandshake final : private ServerContext::Session, private HandshakeTimers::Client
{
public:
    enum class Step { Waiting, Complete, Failed };

    struct Setup
    {
        QDtls &dtls; ///< emits pskRequired() and handshakeTimeout()
        ThreadContexts &thread;
        std::shared_ptr<ServerContext> context;
        QByteArray cookie; ///< that the hello has to have
        quint16 mtu = 0;   ///< bytes
        bool isOverIPv6 = false;
        AssociationState &state; ///< Open once Complete
        RecordProtection::Place &place;
    };

    /// Everything passed by reference must outlive it.
    explicit ServerHandshake(Setup setup);
    ~ServerHandshake();
    ServerHandshake(const ServerHandshake &) = delete;
    ServerHandshake &operator=(const ServerHandshake &) = delete;

    /// Prepares for the first record of @p hello, which advance() has to get next. false: OpenSSL
    /// fails, or it is no ClientHello.
    [[nodiscard]] bool begin(const Record &hello);
    /// Feeds a record of the peer. Failed leaves a reason in OpenSSL's error queue.
    [[nodiscard]] Step advance(const Record &record);
    /// Repeats the flight, since the peer has not answered (RFC 6347 §4.2.4).
    void repeat();

    /// The datagrams that are to be sent.
    [[nodiscard]] std::vector<QByteArray> takeOutput() { return std::exchange(m_output, {}); }

    // Once Complete:
    [[nodiscard]] RecordProtection &protection() const { return *m_protection; }
    [[nodiscard]] QSslCipher cipher() const { return m_context->cipherOf(*m_ssl); }

private:
    std::size_t provideKey(const char *identity, std::span<unsigned char> room) override;
    [[nodiscard]] bool isItsCookie(std::span<const unsigned char> cookie) const override;
    [[nodiscard]] bool takeExtension(unsigned int extension,
                                     std::span<const unsigned char> request) override;
    [[nodiscard]] std::optional<std::span<const unsigned char>>
    answerExtension(unsigned int extension) override;
    [[nodiscard]] bool takeId(std::span<const unsigned char> request);
    void onTimeout() override { Q_EMIT m_dtls.handshakeTimeout(); }

    [[nodiscard]] bool hasChangedKeys() const;
    void hold(const Record &finished);
    [[nodiscard]] Step shakeHands(const Record &record);
    [[nodiscard]] Step takeFinished(const Record &record);
    [[nodiscard]] Step feed(QByteArrayView record);
    [[nodiscard]] bool complete(const std::vector<QByteArray> &written);
    [[nodiscard]] bool makeKeys();
    [[nodiscard]] bool answer(const std::vector<QByteArray> &written);
    [[nodiscard]] QByteArray sealedAnew(const Record &record);
    void sendFlight(const std::vector<QByteArray> &written);
    void sendNumbered(QByteArray clear);

    QDtls &m_dtls;
    ThreadContexts &m_thread;
    const std::shared_ptr<ServerContext> m_context;
    const std::shared_ptr<HandshakeTimers> m_timers;
    const QByteArray m_cookie;
    const quint16 m_mtu;
    const bool m_isOverIPv6;
    AssociationState &m_state;
    RecordProtection::Place &m_place;
    ServerContext::UniqueSsl m_ssl;
    RecordProtection *m_protection = nullptr;
    std::vector<QByteArray> m_early;  // Finished that overtook the change of keys
    std::vector<QByteArray> m_flight; // the datagrams, unencrypted, of the last flight
    std::vector<QByteArray> m_output;
    std::array<unsigned char, 1 + ConnectionId::size> m_idAnswer{ConnectionId::size};
    std::uint64_t m_nextClearSequence = 0;
    std::chrono::milliseconds m_timeout{0}; // of the current flight; 0: none sent yet
};

} // namespace dtlsd
