// SPDX-License-Identifier: Apache-2.0
#include "dtls/SharedState.h"

#include <stdexcept>
#include <utility>

#include <openssl/rand.h>

namespace dtlsd {

namespace {

void fillWithRandom(void *bytes, std::size_t size)
{
    if (RAND_bytes(static_cast<unsigned char *>(bytes), static_cast<int>(size)) != 1)
        throw std::runtime_error("OpenSSL's random generator gives no bytes");
}

} // namespace

QByteArray randomSecret()
{
    QByteArray secret(32, Qt::Uninitialized);
    fillWithRandom(secret.data(), 32);
    return secret;
}

SessionId SessionIds::next()
{
    if (m_left == 0) {
        fillWithRandom(m_ids.data(), sizeof m_ids);
        m_left = m_ids.size();
    }
    return m_ids[--m_left];
}

SharedState::SharedState(const Limits &limits, QByteArray cookieSecret)
    : cookieSecrets(std::move(cookieSecret))
    // A second's worth at once: a fleet that reconnects does not come evenly.
    , handshakes(limits.handshakesPerSecond, limits.handshakesPerSecond)
{
}

} // namespace dtlsd
