// SPDX-License-Identifier: Apache-2.0
//
// SessionFilter: which records OpenSSL may see for an open session. OpenSSL ends a session on some
// records that anybody can forge, and collects fragments of a new handshake without limit.
#pragma once

#include "wire/Record.h"
#include "wire/SuiteLimits.h"

namespace dtlsd {

class SessionFilter
{
public:
    /// For a session whose suite has @p limits.
    explicit SessionFilter(const SuiteLimits &limits = {})
        : m_limits(limits)
    {
    }

    [[nodiscard]] bool admits(const Record &record) const;
    /// Whether @p record, if authentic, is application data of 0 bytes (RFC 5246 §6.2.1).
    [[nodiscard]] bool looksEmpty(const Record &record) const
    {
        return record.type == ContentType::ApplicationData &&
               m_limits.plaintextSize(record.fragment()) == 0;
    }

private:
    SuiteLimits m_limits;
};

} // namespace dtlsd
