// SPDX-License-Identifier: Apache-2.0
#include "forward/SourceAddresses.h"

#include "forward/ForwardOptions.h"

#include <QHostAddress>

#include <algorithm>

namespace dtlsd {

namespace {

// Above the kernel's default net.ipv4.ip_local_port_range.
constexpr std::int64_t ports = sourcesForIPv6;
constexpr std::int64_t firstPort = 65'536 - ports;

// 127.1.0.0 to 127.254.255.255: 127.0.0.0/16 is for services, and the last address is a broadcast.
constexpr std::uint32_t firstIPv4 = 0x7F010000;
constexpr std::int64_t manyIPv4 = std::int64_t{254} << 16;

// 100,000 new addresses a second on average; the others come round in nine days.
constexpr SourceAddresses::BootTime stepOfIPv4{10};
// They come round in ten minutes.
constexpr SourceAddresses::BootTime stepOfIPv6{130'000};

constexpr int looks = 64; // so that a turn stays short

} // namespace

SourceAddresses::SourceAddresses(Family family)
    : m_family(family)
    , m_size(family == Family::IPv4 ? manyIPv4 * ports : ports)
    , m_step(family == Family::IPv4 ? stepOfIPv4 : stepOfIPv6)
{
}

void SourceAddresses::follow(BootTime now)
{
    m_next = std::max(m_next, now / m_step);
}

std::optional<SocketAddress> SourceAddresses::next(BootTime now)
{
    const std::lock_guard lock(m_mutex);
    follow(now);
    for (int i = 0; i < looks; ++i) {
        const Place place = m_next++ % m_size;
        const auto resting = m_resting.find(place);
        if (resting == m_resting.end())
            return at(place);
        if (resting->second <= now) {
            m_resting.erase(resting);
            return at(place);
        }
    }
    return std::nullopt;
}

void SourceAddresses::giveBack(const SocketAddress &address, BootTime now)
{
    if (!has(address))
        return;
    const std::lock_guard lock(m_mutex);
    follow(now);
    const Place place = placeOf(address);
    const Place ahead = (place - m_next % m_size + m_size) % m_size;
    // Twice: the ring may be used faster than the clock goes.
    if (ahead < 2 * (BootTime(rest) / m_step))
        m_resting.insert_or_assign(place, now + rest);
}

bool SourceAddresses::has(const SocketAddress &address) const
{
    if (address.port() < firstPort || address.isIPv4() != (m_family == Family::IPv4))
        return false;
    if (m_family == Family::IPv6)
        return address.address() == QHostAddress(QHostAddress::LocalHostIPv6);
    const std::uint32_t host = address.address().toIPv4Address();
    return host >= firstIPv4 && host - firstIPv4 < manyIPv4;
}

SocketAddress SourceAddresses::at(Place place) const
{
    if (m_family == Family::IPv6)
        return {QHostAddress(QHostAddress::LocalHostIPv6),
                static_cast<std::uint16_t>(firstPort + place)};
    // Neighbours differ in their port: another process may have one of them at all addresses.
    return {QHostAddress(firstIPv4 + static_cast<std::uint32_t>(place / ports)),
            static_cast<std::uint16_t>(firstPort + place % ports)};
}

SourceAddresses::Place SourceAddresses::placeOf(const SocketAddress &address) const
{
    const Place port = address.port() - firstPort;
    return m_family == Family::IPv6
               ? port
               : (address.address().toIPv4Address() - firstIPv4) * ports + port;
}

std::uint64_t SourceAddresses::wordOf(const SocketAddress &address)
{
    if (address == SocketAddress())
        return 0;
    return address.isIPv4()
               ? std::uint64_t{address.address().toIPv4Address()} << 16 | address.port()
               : ipv6Word | address.port();
}

SocketAddress SourceAddresses::addressOf(std::uint64_t word)
{
    const auto port = static_cast<std::uint16_t>(word);
    if (word >> 16 == ipv6Word >> 16)
        return {QHostAddress(QHostAddress::LocalHostIPv6), port};
    if (word == 0 || word > ipv6Word)
        return {};
    return {QHostAddress(static_cast<quint32>(word >> 16)), port};
}

} // namespace dtlsd
