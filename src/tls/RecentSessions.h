// SPDX-License-Identifier: Apache-2.0
//
// RecentSessions: those that keep OpenSSL's two record buffers, of 17 KB each, since they are
// likely to be needed again soon. All others give theirs back; to do that after each datagram would
// cost a sixth of it.
#pragma once

#include <array>
#include <cstddef>

#include <openssl/ssl.h>

namespace dtlsd {

class RecentSessions
{
public:
    using Place = std::size_t; ///< kept with the session, 0 at first

    /// @p session is about to be used, and has buffers then: OpenSSL sees to that itself when it
    /// reads, but not when it writes. false: no memory.
    bool note(SSL *session, Place &place)
    {
        if (m_sessions[place] == session)
            return true;
        SSL *&oldest = m_sessions[m_next];
        if (oldest)
            SSL_free_buffers(oldest);
        oldest = session;
        place = m_next;
        m_next = (m_next + 1) % m_sessions.size();
        return SSL_alloc_buffers(session) == 1;
    }

    /// @p session is about to be freed.
    void forget(const SSL *session, Place place)
    {
        if (m_sessions[place] == session)
            m_sessions[place] = nullptr;
    }

private:
    std::array<SSL *, 64> m_sessions{};
    std::size_t m_next = 0;
};

} // namespace dtlsd
