// SPDX-License-Identifier: Apache-2.0
//
// HelloRefusal: why OpenSSL has ended a handshake over its ClientHello, and what that had offered.
#pragma once

#include "dtls/CipherPolicy.h"
#include "dtls/Events.h"
#include "wire/Alert.h"
#include "wire/CipherSuite.h"
#include "wire/ClientHello.h"

#include <memory>
#include <optional>
#include <vector>

namespace dtlsd {

class HelloRefusal
{
public:
    /// The handshake has ended; @p output is the last datagram that OpenSSL has sent.
    void noteEnd(QByteArrayView output);
    /// The body of the ClientHello that it ended over; empty if it is not known.
    void noteHello(QByteArrayView body);

    /// nullopt: it did not end over its hello. @p ciphers are those of the server.
    [[nodiscard]] std::optional<HandshakeFailure> reason(const CipherPolicy &ciphers) const;
    /// As the client prefers them; empty if they are not known.
    [[nodiscard]] std::vector<CipherSuite> offered() const;

private:
    [[nodiscard]] bool isOfSuites() const
    {
        return m_alert && m_alert->description == AlertDescription::HandshakeFailure;
    }

    std::optional<Alert> m_alert;
    std::unique_ptr<const HelloOffer> m_offer; // in few sessions
};

} // namespace dtlsd
