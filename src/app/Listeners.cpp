// SPDX-License-Identifier: Apache-2.0
#include "app/Listeners.h"

#include "core/Quantity.h"
#include "net/DatagramSocket.h"
#include "net/Steering.h"
#include "wire/ConnectionId.h"
#include "wire/Record.h"

#include <QCryptographicHash>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include <sys/socket.h>

namespace dtlsd {

namespace {

/// Takes records with a connection ID (RFC 9146) to the worker whose number is in it, modulo
/// @p workers: a former process may have had more.
Steering steeringTo(std::size_t workers)
{
    return {.firstByte = static_cast<std::uint8_t>(ContentType::WithId),
            .chooserPlace = Record::idPlace + ConnectionId::workerPlace,
            .sockets = static_cast<std::uint32_t>(workers)};
}

/// Whether what is bound to @p bound will do where @p wanted is; for port 0 any port will.
bool isFor(const SocketAddress &wanted, const SocketAddress &bound)
{
    return bound == wanted || (wanted.port() == 0 && bound.withPort(0) == wanted);
}

} // namespace

std::vector<Listeners::Socket> Listeners::take(const std::vector<int> &passed)
{
    m_arePassed = !passed.empty();
    for (const int descriptor : passed) {
        const SocketAddress address = DatagramSocket::addressOf(descriptor);
        if (!addresses().contains(address))
            m_listening.emplace_back(at(address)).isPassed = true;
    }
    // The kernel spreads peers over the sockets of an address, so these go to different workers. It
    // numbers them as they were bound, which is the order in which systemd passes them.
    std::vector<Socket> dealt;
    std::size_t next = 0; // where an address has too few: else the last workers might get none
    for (Listening &listening : m_listening) {
        std::vector<Descriptor> sockets;
        for (const int descriptor : passed) {
            if (listening.isAt(DatagramSocket::addressOf(descriptor)))
                sockets.emplace_back(descriptor);
        }
        const std::size_t count = sockets.size();
        const bool isEnough = count >= m_options.workers;
        deal(listening, std::move(sockets), isEnough ? 0 : next, dealt);
        next += isEnough ? 0 : count;
    }
    return dealt;
}

Result<std::vector<Listeners::Socket>>
Listeners::bind(const QList<SocketAddress> &wanted,
                const std::function<void(const ListenFailed &)> &hear)
{
    std::vector<Socket> dealt;
    std::vector<QByteArray> made;
    const std::size_t before = m_listening.size();
    for (const SocketAddress &address : m_arePassed ? QList<SocketAddress>() : wanted) {
        if (std::ranges::any_of(m_listening, [&](const auto &it) { return it.isAt(address); }))
            continue;
        auto bound = openAt(address, dealt, made);
        if (!bound && dropUnwanted(wanted)) // one of those may have the port
            bound = openAt(address, dealt, made);
        if (!bound) {
            m_listening.resize(before);
            for (const QByteArray &name : made)
                m_keeping.forget(name);
            hear(ListenFailed{address, bound.error().message});
            return bound.error();
        }
    }
    // At addresses that are no longer wanted: for the sessions there, until leaveAllBut().
    while (!m_keeping.sockets().empty()) {
        Listening listening = at(m_keeping.sockets().front().address());
        std::vector<Descriptor> sockets = keptAt(listening);
        deal(listening, std::move(sockets), 0, dealt);
        m_listening.push_back(std::move(listening));
    }
    return dealt;
}

/// Closes the sockets that a former process has left at other addresses, here and in the service
/// manager's store; false: there are none.
bool Listeners::dropUnwanted(const QList<SocketAddress> &wanted)
{
    const auto drop = [&](const Keeping::Socket &socket) {
        const bool isWanted = std::ranges::any_of(
            wanted, [&](const auto &address) { return isFor(address, socket.address()); });
        if (!isWanted)
            m_keeping.forget(socket.name);
        return !isWanted;
    };
    const bool hasDropped = std::erase_if(m_keeping.sockets(), drop) > 0;
    if (hasDropped)
        m_keeping.awaitForgotten();
    return hasDropped;
}

/// Adds what it stores to @p made.
Result<> Listeners::openAt(const SocketAddress &wanted, std::vector<Socket> &dealt,
                           std::vector<QByteArray> &made)
{
    Listening listening = at(wanted);
    std::vector<Descriptor> sockets = keptAt(listening);
    for (const Descriptor &kept : sockets)
        DatagramSocket::growReceiveBuffer(kept.number(), m_options.receiveBuffer);
    while (sockets.size() < m_options.workers) {
        const auto sharing =
            sockets.empty() ? DatagramSocket::Sharing::First : DatagramSocket::Sharing::Sibling;
        auto opened = DatagramSocket::open(listening.bound, {sharing, m_options.receiveBuffer});
        if (!opened)
            return opened.error();
        listening.bound = DatagramSocket::addressOf(opened.value().number());
        made.push_back(m_keeping.keep(sockets.size(), opened.value()));
        listening.names.push_back(made.back());
        sockets.push_back(std::move(opened).value());
    }
    deal(listening, std::move(sockets), 0, dealt);
    m_listening.push_back(std::move(listening));
    return success();
}

/// Takes the sockets that a former process has left at @p listening, in the order of its workers.
/// There may be more than there are workers now: to close one would move sessions among the others.
std::vector<Descriptor> Listeners::keptAt(Listening &listening)
{
    std::vector<Keeping::Socket> &kept = m_keeping.sockets();
    std::ranges::stable_sort(kept, {}, &Keeping::Socket::worker);
    std::vector<Descriptor> sockets;
    for (Keeping::Socket &socket : kept) {
        const SocketAddress address = socket.address();
        if (!isFor(listening.bound, address))
            continue;
        listening.bound = address;
        listening.names.push_back(socket.name);
        sockets.push_back(std::move(socket.descriptor));
    }
    std::erase_if(kept, [](const auto &socket) { return !socket.descriptor.isOpen(); });
    return sockets;
}

/// To workers in turns, from @p first on.
void Listeners::deal(Listening &listening, std::vector<Descriptor> sockets, std::size_t first,
                     std::vector<Socket> &dealt)
{
    const std::vector<std::uint64_t> groups = groupsOf(sockets);
    if (m_grantedBuffer == 0)
        m_grantedBuffer = DatagramSocket::receiveBufferOf(sockets.front().number());
    listening.isSteered = steer(sockets);
    listening.ofOneWorker = (sockets.size() + m_options.workers - 1) / m_options.workers;
    for (std::size_t i = 0; i < sockets.size(); ++i)
        dealt.push_back({std::move(sockets[i]), (first + i) % m_options.workers, groups[i]});
}

/// A number for each of @p sockets: as long as it is the same, the same peers come to that socket.
std::vector<std::uint64_t> Listeners::groupsOf(std::span<const Descriptor> sockets)
{
    std::vector<std::uint64_t> cookies;
    for (const Descriptor &socket : sockets) {
        std::uint64_t cookie = 0; // of one socket, as long as the machine runs (SO_COOKIE)
        socklen_t length = sizeof cookie;
        getsockopt(socket.number(), SOL_SOCKET, SO_COOKIE, &cookie, &length);
        cookies.push_back(cookie);
    }
    std::vector<std::uint64_t> groups;
    for (const std::uint64_t own : cookies) {
        QCryptographicHash hash(QCryptographicHash::Sha256);
        hash.addData(QByteArrayView(std::as_bytes(std::span(&own, 1))));
        hash.addData(QByteArrayView(std::as_bytes(std::span(cookies))));
        std::memcpy(&groups.emplace_back(), hash.result().constData(), sizeof own);
    }
    return groups;
}

/// Makes the kernel steer records with a connection ID among @p sockets, which are all those of an
/// address. Returns whether they are steered.
bool Listeners::steer(std::span<const Descriptor> sockets)
{
    if (m_options.workers == 1)
        return true;
    const int any = sockets.front().number();
    if (sockets.size() < m_options.workers) {
        Steering::detachFrom(any); // systemd's socket may have that of a former process
        return false;
    }
    const Result<> attached = steeringTo(m_options.workers).attachTo(any);
    if (!attached)
        m_options.warn(attached.error().message);
    return attached.ok();
}

std::vector<Listeners::Left> Listeners::leaveAllBut(const QList<SocketAddress> &wanted)
{
    std::vector<Left> left;
    std::erase_if(m_listening, [&](Listening &listening) {
        const bool stays = m_arePassed ? listening.isPassed
                                       : std::ranges::any_of(wanted, [&](const auto &address) {
                                             return listening.isAt(address);
                                         });
        if (!stays)
            left.push_back({listening.bound, listening.ofOneWorker, std::move(listening.names)});
        return !stays;
    });
    return left;
}

QList<SocketAddress> Listeners::addresses() const
{
    QList<SocketAddress> addresses;
    for (const Listening &listening : m_listening)
        addresses += listening.bound;
    return addresses;
}

bool Listeners::isSteered() const
{
    return std::ranges::all_of(m_listening, &Listening::isSteered);
}

QStringList Listeners::lacksOf(const ListenOptions &wanted) const
{
    QStringList lacks;
    const auto workers = static_cast<std::int64_t>(m_options.workers);
    if (workers < wanted.workers)
        lacks += QStringLiteral("[server] workers: there are %1 instead of %2, one for each socket "
                                "that systemd has passed")
                     .arg(workers)
                     .arg(wanted.workers);
    // The kernel doubles the requested size, for its own bookkeeping (socket(7)).
    const std::int64_t granted = m_grantedBuffer / 2;
    if (granted < wanted.receiveBuffer)
        lacks += (m_arePassed
                      ? QStringLiteral("[server] receive_buffer: the sockets that systemd has "
                                       "passed have %1 instead of %2, so bursts may be lost; set "
                                       "ReceiveBuffer= in the socket unit")
                      : QStringLiteral("[server] receive_buffer: the kernel grants %1 instead of "
                                       "%2, so bursts may be lost; raise net.core.rmem_max"))
                     .arg(formatByteSize(granted), formatByteSize(wanted.receiveBuffer));
    return lacks;
}

} // namespace dtlsd
