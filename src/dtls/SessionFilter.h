// SPDX-License-Identifier: Apache-2.0
//
// SessionFilter: which records that are said to be of an open session OpenSSL may see. It ends a
// session over some that anybody can forge, and collects the pieces of a new handshake without end.
#pragma once

#include "wire/Record.h"
#include "wire/SuiteLimits.h"

namespace dtlsd {

class SessionFilter
{
public:
    /// Of a session with a suite of @p limits.
    explicit SessionFilter(const SuiteLimits &limits = {})
        : m_limits(limits)
    {
    }

    [[nodiscard]] bool admits(const Record &record) const;
    /// Application data of 0 bytes (RFC 5246 §6.2.1), if it is authentic.
    [[nodiscard]] bool looksEmpty(const Record &record) const
    {
        return record.type == ContentType::ApplicationData &&
               m_limits.plaintextSize(record.fragment()) == 0;
    }

private:
    SuiteLimits m_limits;
};

} // namespace dtlsd
