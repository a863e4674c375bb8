// SPDX-License-Identifier: Apache-2.0
//
// SharedState: the little that the workers of one process have in common. Each part is immutable
// or guards itself.
#pragma once

#include "dtls/CookieVerifier.h"
#include "dtls/Credentials.h"
#include "dtls/Events.h"
#include "dtls/RateLimit.h"
#include "dtls/ServerOptions.h"

#include <QByteArray>

#include <array>
#include <cstddef>

namespace dtlsd {

/// 32 bytes from OpenSSL's generator; std::runtime_error if that fails.
QByteArray randomSecret();

/// From the same generator, many at a time: it takes as long for one.
class SessionIds
{
public:
    SessionId next();

private:
    std::array<SessionId, 64> m_ids{};
    std::size_t m_left = 0;
};

class SharedState
{
public:
    /// @p limits of the process, not a worker's share; @p cookieSecret as for CookieSecrets.
    explicit SharedState(const Limits &limits, QByteArray cookieSecret = randomSecret());

    const CookieSecrets cookieSecrets;
    const QByteArray decoySecret = randomSecret();
    KeyRotation keyRotation;
    RateLimit handshakes;
};

} // namespace dtlsd
