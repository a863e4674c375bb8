// SPDX-License-Identifier: Apache-2.0
//
// HandshakeFilter: which records a half-open handshake may see. Until the keys are agreed anybody
// can forge a record, and OpenSSL answers most unexpected ones by ending the handshake; so only
// what a PSK client sends at this point goes through, and not without bound.
#pragma once

#include "wire/Record.h"

#include <optional>

namespace dtlsd {

class HandshakeFilter
{
public:
    /// Where the sequence numbers of the client begin: with the record of its verified hello.
    void begin(const Record &hello) { m_highestClearSequence = hello.sequence; }
    /// Whether the handshake should be given @p record. Counts it if so.
    [[nodiscard]] bool admits(const Record &record);
    /// The client has answered the server's flight.
    [[nodiscard]] bool sawKeyExchange() const { return m_sawKeyExchange; }
    /// A fatal alert in clear while the client still wrote in clear: anybody can have forged it, so
    /// it ends nothing. It may say why the handshake comes to no end.
    [[nodiscard]] const std::optional<Alert> &clearAlert() const { return m_clearAlert; }
    /// The client has changed to its new keys: a Finished can be judged now.
    [[nodiscard]] bool sawChangeCipherSpec() const { return m_sawChangeCipherSpec; }

private:
    bool admitsClear(const Record &record);
    [[nodiscard]] bool admitsEncrypted(const Record &record);

    int m_clearRecords = 0;
    int m_earlyRecords = 0;
    std::uint64_t m_highestClearSequence = 0;
    bool m_sawKeyExchange = false;
    bool m_sawChangeCipherSpec = false;
    std::optional<Alert> m_clearAlert;
};

} // namespace dtlsd
