// SPDX-License-Identifier: Apache-2.0
#include "support/RelayLink.h"

#include "support/Wiretap.h"
#include "wire/Record.h"

#include <QNetworkDatagram>
#include <QTimer>

#include <utility>
#include <vector>

namespace dtlsd::test {

namespace {

// How long a datagram waits to be overtaken: shorter than any retransmission timer.
constexpr std::chrono::milliseconds longestWait{300};

std::vector<QByteArray> recordsOf(const QByteArray &datagram)
{
    std::vector<QByteArray> parts;
    RecordReader reader(datagram);
    while (const auto record = reader.next())
        parts.push_back(record->bytes.toByteArray());
    if (!reader.rest().isEmpty())
        parts.push_back(reader.rest().toByteArray());
    return parts;
}

} // namespace

RelayLink::RelayLink(int number, const SocketAddress &server, const FaultPlan &plan, RelayLog &log,
                     ToClient toClient, Wiretap *tap)
    : m_number(number)
    , m_server(server)
    , m_splitRecords(plan.splitRecords)
    , m_log(log)
    , m_toClient(std::move(toClient))
    , m_tap(tap)
    , m_faults(plan, plan.seed + static_cast<std::uint64_t>(number))
{
    m_heard.start();
    moveTo(server.isIPv4() ? QHostAddress(QHostAddress::LocalHost)
                           : QHostAddress(QHostAddress::LocalHostIPv6));
}

void RelayLink::moveTo(const QHostAddress &address)
{
    auto upstream = std::make_unique<QUdpSocket>();
    if (!upstream->bind(address))
        qFatal("no port for client %d of a relay: %s", m_number,
               qPrintable(upstream->errorString()));
    connect(upstream.get(), &QUdpSocket::readyRead, this, &RelayLink::readFromServer);
    m_upstream = std::move(upstream); // answers to the former place are lost
}

std::chrono::milliseconds RelayLink::silence() const
{
    return std::chrono::milliseconds(m_heard.elapsed());
}

void RelayLink::readFromServer()
{
    while (m_upstream->hasPendingDatagrams())
        carry(Direction::ToClient, m_upstream->receiveDatagram().data());
}

void RelayLink::carry(Direction direction, const QByteArray &datagram)
{
    m_heard.start();
    if (m_tap)
        m_tap->sent(m_number, direction, datagram);
    const auto parts = m_splitRecords ? recordsOf(datagram) : std::vector{datagram};
    for (const QByteArray &part : parts) {
        const Sighting sighting = m_tracker.see(direction, part);
        const Decision decision = m_faults.decide(sighting);
        m_log.decided(m_number, sighting, part.size(), decision);
        treat({sighting, part}, decision);
    }
}

void RelayLink::treat(const Parcel &parcel, const Decision &decision)
{
    switch (decision.fault) {
    case Fault::None:
        pass(parcel);
        return;
    case Fault::Drop:
        m_log.happened(Fault::Drop, parcel.sighting.flight);
        return;
    case Fault::Delay:
        m_log.happened(Fault::Delay, parcel.sighting.flight);
        later(decision.hold, [this, parcel] { pass(parcel); });
        return;
    case Fault::Reorder:
        hold(parcel);
        return;
    case Fault::Duplicate:
        m_log.happened(Fault::Duplicate, parcel.sighting.flight);
        deliver(parcel);
        pass(parcel);
        return;
    case Fault::Truncate: {
        m_log.happened(Fault::Truncate, parcel.sighting.flight);
        const auto size = static_cast<double>(parcel.bytes.size());
        pass({parcel.sighting, parcel.bytes.left(static_cast<qsizetype>(decision.kept * size))});
        return;
    }
    }
}

void RelayLink::hold(const Parcel &parcel)
{
    const Direction direction = parcel.sighting.direction;
    // One at a time: if every datagram is to be overtaken, pairs change places.
    if (waitingTo(direction)) {
        pass(parcel);
        return;
    }
    waitingTo(direction) = Waiting{parcel, ++m_held};
    later(longestWait, [this, direction, number = m_held] {
        if (waitingTo(direction) && waitingTo(direction)->number == number)
            release(direction, false);
    });
}

void RelayLink::later(std::chrono::milliseconds delay, const std::function<void()> &action)
{
    auto *timer = new QTimer(this);
    timer->setSingleShot(true);
    connect(timer, &QTimer::timeout, this, [timer, action] {
        timer->deleteLater();
        action();
    });
    timer->start(delay);
}

void RelayLink::release(Direction direction, bool overtaken)
{
    const auto waiting = std::exchange(waitingTo(direction), std::nullopt);
    if (!waiting)
        return;
    if (overtaken)
        m_log.happened(Fault::Reorder, waiting->parcel.sighting.flight);
    deliver(waiting->parcel);
}

void RelayLink::pass(const Parcel &parcel)
{
    deliver(parcel);
    release(parcel.sighting.direction, true);
}

void RelayLink::deliver(const Parcel &parcel)
{
    // As with UDP, a datagram that the kernel does not take at once is lost.
    if (parcel.sighting.direction == Direction::ToClient) {
        m_toClient(parcel.bytes);
    } else {
        if (m_tap)
            m_tap->arrived(m_number, parcel.bytes);
        repeat(parcel.bytes);
    }
}

void RelayLink::repeat(const QByteArray &datagram)
{
    m_upstream->writeDatagram(datagram, m_server.address(), m_server.port());
}

} // namespace dtlsd::test
