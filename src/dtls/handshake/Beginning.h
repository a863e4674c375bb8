// SPDX-License-Identifier: Apache-2.0
//
// Beginning: the handshake of a session, and what it takes: which records QDtls may see, what
// OpenSSL has read of them, and why it may fail. Gone once the session is open.
#pragma once

#include "dtls/Events.h"
#include "dtls/handshake/Credentials.h"
#include "dtls/handshake/HandshakeFilter.h"
#include "dtls/handshake/HelloRefusal.h"
#include "dtls/session/SslView.h"
#include "dtls/session/Whereabouts.h"
#include "dtls/store/SessionMemory.h"
#include "wire/AssociationState.h"
#include "wire/Packet.h"
#include "wire/Record.h"

#include <QByteArrayView>
#include <QDtls>

#include <memory>
#include <utility>

class QSslPreSharedKeyAuthenticator;

namespace dtlsd {

class Beginning
{
public:
    /// The parts of the session, which outlive it.
    struct Session
    {
        QDtls &dtls;
        SessionInfo &info;
        Credential &credential; ///< of the claimed identity
        const Credentials &credentials;
        KeptState &association;
        Whereabouts &whereabouts;
    };
    enum class Progress { UnderWay, Complete, Failed };

    explicit Beginning(const Session &session);

    /// Feeds the datagram of the verified hello, or of its repetition.
    [[nodiscard]] Progress start(Packet &packet);
    /// Feeds a record.
    [[nodiscard]] Progress handshake(const Record &record);
    /// Whether the peer has sent a message of this handshake since its hello.
    [[nodiscard]] bool hasAnswered() const { return m_filter.sawKeyExchange(); }

    /// Why it has failed, or is given up now, if it @p isUnderWay.
    [[nodiscard]] HandshakeFailure failure(bool isUnderWay) const;
    /// The event of it, for @p reason.
    [[nodiscard]] HandshakeFailed failed(HandshakeFailure reason) const;

    /// Of a complete handshake whose records OpenSSL goes on with.
    [[nodiscard]] std::unique_ptr<SslView> takeSsl();

private:
    [[nodiscard]] bool isOfItsForm(const Record &record) const;
    [[nodiscard]] Progress advance(QByteArrayView bytes);
    void provideKey(QSslPreSharedKeyAuthenticator &authenticator);
    void retransmit();

    const Session m_session;
    HandshakeFilter m_filter;
    HelloRefusal m_refusal;
    int m_retransmissions = 0;
    std::unique_ptr<SslView> m_ssl = std::make_unique<SslView>();
};

} // namespace dtlsd
