// SPDX-License-Identifier: Apache-2.0
//
// HelloRefusal: why OpenSSL ended a handshake on its ClientHello, and what the hello offered.
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
    /// The handshake has ended; @p output is the last datagram that OpenSSL sent.
    void noteEnd(QByteArrayView output);
    /// The body of the ClientHello that it ended on; empty if unknown.
    void noteHello(QByteArrayView body);

    /// nullopt: it did not end on its hello. @p ciphers are the server's.
    [[nodiscard]] std::optional<HandshakeFailure> reason(const CipherPolicy &ciphers) const;
    /// In the client's order of preference; empty if unknown.
    [[nodiscard]] std::vector<CipherSuite> offered() const;

private:
    [[nodiscard]] bool isOfSuites() const
    {
        return m_alert && m_alert->description == AlertDescription::HandshakeFailure;
    }

    std::optional<Alert> m_alert;
    std::unique_ptr<const HelloOffer> m_offer; // null in most sessions
};

} // namespace dtlsd
