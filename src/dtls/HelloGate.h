// SPDX-License-Identifier: Apache-2.0
//
// HelloGate: where a source shows that its address is real, before anything is spent on it. Hellos
// that came back with their cookie wait here until the server has time for their handshakes.
#pragma once

#include "dtls/CookieVerifier.h"
#include "dtls/UnverifiedWatch.h"
#include "dtls/WaitingHellos.h"

namespace dtlsd {

class HelloGate
{
public:
    /// Room for @p capacity hellos. @p watch, which outlives this, hears of those not let in.
    HelloGate(CookieSecrets secrets, std::size_t capacity, UnverifiedWatch &watch);

    /// Takes a ClientHello, answers it if it has no valid cookie, and keeps it if it has.
    void receive(DatagramSocket &socket, const ReceivedDatagram &hello,
                 UnverifiedWatch::Clock::time_point now);

    [[nodiscard]] WaitingHellos &waiting() { return m_waiting; }

private:
    CookieVerifier m_cookies;
    WaitingHellos m_waiting;
    UnverifiedWatch &m_watch;
};

} // namespace dtlsd
