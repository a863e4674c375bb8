// SPDX-License-Identifier: Apache-2.0
#include "dtls/HelloGate.h"

#include <utility>

namespace dtlsd {

namespace {

// What QDtlsClientVerifier sends. A hello that is shorter is no whole one, and gets no answer, so
// that nobody is ever sent more than came from there.
constexpr qsizetype helloVerifyRequestSize = 60;

} // namespace

HelloGate::HelloGate(CookieSecrets secrets, UnverifiedWatch &watch)
    : m_cookies(std::move(secrets))
    , m_watch(watch)
{
}

std::optional<QDtls::GeneratorParameters> HelloGate::admit(DatagramSocket &socket,
                                                           const ReceivedDatagram &hello,
                                                           UnverifiedWatch::Clock::time_point now)
{
    if (hello.bytes.size() < helloVerifyRequestSize) {
        m_watch.note(UnverifiedWatch::Kind::Malformed, now);
        return std::nullopt;
    }
    auto cookie = m_cookies.verify(socket, hello, CookieVerifier::Clock::now());
    if (cookie) // from here on silence at a limit: a client answers every HelloVerifyRequest
        m_watch.noteVerified();
    else
        m_watch.noteHello(now);
    return cookie;
}

} // namespace dtlsd
