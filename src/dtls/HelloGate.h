// SPDX-License-Identifier: Apache-2.0
//
// HelloGate: where a source shows that its address is real, before anything is spent on it.
#pragma once

#include "dtls/CookieVerifier.h"
#include "dtls/UnverifiedWatch.h"

#include <QDtls>

#include <optional>

namespace dtlsd {

class HelloGate
{
public:
    /// @p watch, which outlives this, hears of those not let in.
    HelloGate(CookieSecrets secrets, UnverifiedWatch &watch);

    /// What the cookie of a ClientHello was made with, if it is valid. If not, the hello is
    /// answered.
    std::optional<QDtls::GeneratorParameters> admit(DatagramSocket &socket,
                                                    const ReceivedDatagram &hello,
                                                    UnverifiedWatch::Clock::time_point now);

private:
    CookieVerifier m_cookies;
    UnverifiedWatch &m_watch;
};

} // namespace dtlsd
