// SPDX-License-Identifier: Apache-2.0
//
// RelayLink: a Relay's path between one client and the server. The server sees the client at this
// link's own port.
#pragma once

#include "core/SocketAddress.h"
#include "support/FaultStream.h"
#include "support/RelayLog.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QHostAddress>
#include <QObject>
#include <QUdpSocket>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace dtlsd::test {

class Wiretap;

class RelayLink : public QObject
{
    Q_OBJECT

public:
    /// Takes a datagram back to the client.
    using ToClient = std::function<void(const QByteArray &)>;

    /// The link of client @p number; @p log and @p tap, if there is one, outlive it.
    RelayLink(int number, const SocketAddress &server, const FaultPlan &plan, RelayLog &log,
              ToClient toClient, Wiretap *tap = nullptr);

    [[nodiscard]] int number() const { return m_number; }

    /// From now on the server sees the client at @p address, with a new port.
    void moveTo(const QHostAddress &address);
    /// The client has sent @p datagram.
    void fromClient(const QByteArray &datagram) { carry(Direction::ToServer, datagram); }
    /// Carries @p datagram to the server, untouched and unseen by the tap.
    void repeat(const QByteArray &datagram);
    /// Time since the last datagram from either side.
    [[nodiscard]] std::chrono::milliseconds silence() const;

private:
    struct Parcel
    {
        Sighting sighting;
        QByteArray bytes;
    };
    /// A datagram that waits to be overtaken.
    struct Waiting
    {
        Parcel parcel;
        std::uint64_t number = 0;
    };

    void readFromServer();
    void carry(Direction direction, const QByteArray &datagram);
    void treat(const Parcel &parcel, const Decision &decision);
    void hold(const Parcel &parcel);
    void later(std::chrono::milliseconds delay, const std::function<void()> &action);
    void release(Direction direction, bool overtaken);
    void pass(const Parcel &parcel);
    void deliver(const Parcel &parcel);
    std::optional<Waiting> &waitingTo(Direction direction)
    {
        return m_waiting.at(static_cast<std::size_t>(direction));
    }

    const int m_number;
    const SocketAddress m_server;
    const bool m_splitRecords;
    RelayLog &m_log;
    const ToClient m_toClient;
    Wiretap *const m_tap;
    FlightTracker m_tracker;
    FaultStream m_faults;
    std::array<std::optional<Waiting>, 2> m_waiting; // by direction
    std::uint64_t m_held = 0;
    QElapsedTimer m_heard;
    std::unique_ptr<QUdpSocket> m_upstream;
};

} // namespace dtlsd::test
