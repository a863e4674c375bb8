// SPDX-License-Identifier: Apache-2.0
//
// Flight: the flight of a DTLS 1.2 handshake with a pre-shared key (RFC 6347 §4.2.4, RFC 4279 §2)
// that a datagram belongs to, without decryption.
// FlightTracker: finds it for the datagrams of one client, and counts how often each was sent.
#pragma once

#include <QByteArrayView>
#include <QString>

#include <map>
#include <utility>

namespace dtlsd::test {

enum class Direction { ToServer, ToClient };

enum class Flight {
    FirstHello,
    HelloVerifyRequest,
    HelloWithCookie,
    ServerHello,  ///< flight 4: ServerHello to ServerHelloDone
    ClientFinish, ///< flight 5: ClientKeyExchange, ChangeCipherSpec, Finished
    ServerFinish, ///< flight 6: ChangeCipherSpec, Finished
    ApplicationData,
    Alert,
    Other ///< does not begin with a record
};

/// `hello with cookie`
QString nameOf(Flight flight);

/// One datagram on its way.
struct Sighting
{
    Direction direction = Direction::ToServer;
    Flight flight = Flight::Other;
    bool hasFinished = false; ///< the Finished is in it, with the flight or alone
    /// 1, 2, …: how often the flight was sent so far. A flight in several datagrams counts once;
    /// messages and alerts count one by one.
    int transmission = 1;

    friend bool operator==(const Sighting &, const Sighting &) = default;
};

class FlightTracker
{
public:
    /// The next datagram of this client. All its records count for the flight of the first.
    Sighting see(Direction direction, QByteArrayView datagram);

private:
    std::map<std::pair<Direction, Flight>, int> m_transmissions;
};

} // namespace dtlsd::test
