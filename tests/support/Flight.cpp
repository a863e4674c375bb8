// SPDX-License-Identifier: Apache-2.0
#include "support/Flight.h"

#include "wire/Record.h"

#include <algorithm>
#include <optional>

namespace dtlsd::test {

namespace {

/// RFC 5246 §7.4, RFC 6347 §4.3.2
enum class HandshakeType { ClientHello = 1, ServerHello = 2, HelloVerify = 3, KeyExchange = 16 };

struct Place
{
    Flight flight = Flight::Other;
    bool begins = true; ///< a transmission of that flight
};

bool isFinished(const Record &record)
{
    return record.type == ContentType::Handshake && record.epoch > 0;
}

bool hasCookie(QByteArrayView hello)
{
    constexpr qsizetype sessionId = 12 + 2 + 32; // behind header, version and random
    if (hello.size() <= sessionId)
        return false;
    const qsizetype cookie = sessionId + 1 + static_cast<uchar>(hello[sessionId]);
    return hello.size() > cookie && hello[cookie] != 0;
}

Place placeOfMessage(Direction direction, QByteArrayView message)
{
    const auto type = static_cast<HandshakeType>(message.isEmpty() ? 0 : message[0]);
    switch (type) {
    case HandshakeType::ClientHello:
        return {hasCookie(message) ? Flight::HelloWithCookie : Flight::FirstHello};
    case HandshakeType::HelloVerify:
        return {Flight::HelloVerifyRequest};
    case HandshakeType::ServerHello:
        return {Flight::ServerHello};
    case HandshakeType::KeyExchange:
        return {Flight::ClientFinish};
    }
    return {direction == Direction::ToServer ? Flight::ClientFinish : Flight::ServerHello, false};
}

Place placeOf(Direction direction, const Record &record)
{
    const bool toServer = direction == Direction::ToServer;
    const Flight last = toServer ? Flight::ClientFinish : Flight::ServerFinish;
    switch (record.type) {
    case ContentType::ChangeCipherSpec:
        return {last, !toServer};
    case ContentType::Alert:
        return {Flight::Alert};
    case ContentType::ApplicationData:
    case ContentType::ReturnRoutability:
        return {Flight::ApplicationData};
    case ContentType::WithId: // what it is is encrypted; the first is the Finished
        return record.sequence == 0 ? Place{last, false} : Place{Flight::ApplicationData};
    case ContentType::Handshake:
        break;
    }
    return isFinished(record) ? Place{last, false} : placeOfMessage(direction, record.fragment());
}

} // namespace

QString nameOf(Flight flight)
{
    switch (flight) {
    case Flight::FirstHello:
        return QStringLiteral("first hello");
    case Flight::HelloVerifyRequest:
        return QStringLiteral("HelloVerifyRequest");
    case Flight::HelloWithCookie:
        return QStringLiteral("hello with cookie");
    case Flight::ServerHello:
        return QStringLiteral("server's flight 4");
    case Flight::ClientFinish:
        return QStringLiteral("client's flight 5");
    case Flight::ServerFinish:
        return QStringLiteral("server's flight 6");
    case Flight::ApplicationData:
        return QStringLiteral("application data");
    case Flight::Alert:
        return QStringLiteral("alert");
    case Flight::Other:
        break;
    }
    return QStringLiteral("no DTLS");
}

Sighting FlightTracker::see(Direction direction, QByteArrayView datagram)
{
    RecordReader reader(datagram);
    std::optional<Record> record = reader.next();
    const Place place = record ? placeOf(direction, *record) : Place{};
    Sighting sighting{direction, place.flight, false, 1};
    for (; record; record = reader.next())
        sighting.hasFinished |= isFinished(*record);
    int &transmissions = m_transmissions[{direction, place.flight}];
    transmissions = std::max(1, transmissions + (place.begins ? 1 : 0));
    sighting.transmission = transmissions;
    return sighting;
}

} // namespace dtlsd::test
