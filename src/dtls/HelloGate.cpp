// SPDX-License-Identifier: Apache-2.0
#include "dtls/HelloGate.h"

#include <utility>

namespace dtlsd {

namespace {

// What QDtlsClientVerifier sends. A hello that is shorter is no whole one, and gets no answer, so
// that nobody is ever sent more than came from there.
constexpr qsizetype helloVerifyRequestSize = 60;

} // namespace

HelloGate::HelloGate(CookieSecrets secrets, std::size_t capacity, UnverifiedWatch &watch)
    : m_cookies(std::move(secrets))
    , m_waiting(capacity)
    , m_watch(watch)
{
}

void HelloGate::receive(DatagramSocket &socket, const ReceivedDatagram &hello,
                        UnverifiedWatch::Clock::time_point now)
{
    if (hello.bytes.size() < helloVerifyRequestSize) {
        m_watch.note(UnverifiedWatch::Kind::Malformed, now);
        return;
    }
    const auto cookie = m_cookies.verify(socket, hello, CookieVerifier::Clock::now());
    if (!cookie) {
        m_watch.noteHello(now);
        return;
    }
    m_watch.noteVerified();
    // From here on silence at a limit: a client answers every HelloVerifyRequest at once.
    if (!m_waiting.add({&socket, hello.path, hello.bytes.toByteArray(), *cookie}))
        m_watch.note(UnverifiedWatch::Kind::OverLimit, now);
}

} // namespace dtlsd
