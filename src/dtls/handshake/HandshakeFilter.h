// SPDX-License-Identifier: Apache-2.0
//
// HandshakeFilter: which records a half-open handshake may see. Until keys are agreed anybody can
// forge a record, and OpenSSL ends the handshake on most unexpected ones. So only records that a
// PSK client sends at this point pass, and a bounded number of them.
#pragma once

#include "wire/Record.h"

#include <optional>

namespace dtlsd {

class HandshakeFilter
{
public:
    /// Begins the client's sequence numbers at the record of its verified hello.
    void begin(const Record &hello) { m_highestClearSequence = hello.sequence; }
    /// Whether to feed @p record to the handshake. Counts it if so.
    [[nodiscard]] bool admits(const Record &record);
    /// The client has answered the server's flight.
    [[nodiscard]] bool sawKeyExchange() const { return m_sawKeyExchange; }
    /// An unencrypted fatal alert from before the ChangeCipherSpec. It may be forged, so it ends
    /// nothing, but it may say why the handshake does not finish.
    [[nodiscard]] const std::optional<Alert> &clearAlert() const { return m_clearAlert; }
    /// The client has changed to its new keys: a Finished can be verified.
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
