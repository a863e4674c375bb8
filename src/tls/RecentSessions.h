// SPDX-License-Identifier: Apache-2.0
//
// RecentSessions: the sessions used last. They keep OpenSSL's two record buffers of 17 KB each,
// since they are likely to need them again soon; all others free theirs. To free them after each
// datagram would cost a sixth of its processing.
#pragma once

#include <array>
#include <cstddef>

#include <openssl/ssl.h>

namespace dtlsd {

class RecentSessions
{
public:
    using Place = std::size_t; ///< kept with the session, initially 0

    /// Call before @p session is used. It has buffers afterwards: OpenSSL allocates them itself
    /// when it reads, but not when it writes. false: no memory.
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

    /// Call before @p session is freed.
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
