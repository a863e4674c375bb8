// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: an IPv4 or IPv6 address with a port, as a small value and hash key. Path: the
// address of a peer and the local address it talks to; it identifies an association.
#pragma once

#include <QByteArray>
#include <QHostAddress>
#include <QList>
#include <QString>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sys/socket.h>

namespace dtlsd {

/// IPv4 is stored as an IPv4-mapped IPv6 address, so that a peer has one value whichever family of
/// socket it came through, and is shown as IPv4 everywhere.
class SocketAddress
{
public:
    SocketAddress() = default;
    SocketAddress(const QHostAddress &address, std::uint16_t port);

    /// From an AF_INET or AF_INET6 address; any other family gives the default value.
    static SocketAddress fromSockaddr(const sockaddr *address);

    /// `192.0.2.7:5683` or `[2001:db8::7]:5683`; nothing else, no host names.
    static std::optional<SocketAddress> parse(QStringView text);

    /// Fills @p storage for a socket of @p family and returns the length to pass with it.
    socklen_t toSockaddr(sockaddr_storage &storage, int family) const;

    [[nodiscard]] QHostAddress address() const;
    [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(m_port); }
    [[nodiscard]] bool isIPv4() const;
    [[nodiscard]] SocketAddress withPort(std::uint16_t port) const;

    /// The network that limits count an unproved peer under: its IPv4 /24 or IPv6 /48, without
    /// port. An address of the NAT64 prefix 64:ff9b::/96 counts as the IPv4 address in it
    /// (RFC 6052 §2.1): all of IPv4 would fit into that one /48.
    [[nodiscard]] SocketAddress network() const;

    /// `192.0.2.7`, `2001:db8::7`
    [[nodiscard]] QByteArray addressUtf8() const;
    /// `192.0.2.7:5683`, `[2001:db8::7]:5683`
    [[nodiscard]] QByteArray toUtf8() const;
    [[nodiscard]] QString toString() const;

    friend auto operator<=>(const SocketAddress &, const SocketAddress &) = default;
    [[nodiscard]] std::size_t hash(std::size_t seed) const;

private:
    [[nodiscard]] SocketAddress prefix(std::ptrdiff_t bytes) const;

    std::array<std::uint8_t, 16> m_bytes{};
    // No padding, so that the whole object can be hashed at once.
    std::uint32_t m_scope = 0;
    std::uint32_t m_port = 0;
};

/// Separated by commas, as in `[server] listen`.
QString toString(const QList<SocketAddress> &addresses);

struct Path
{
    SocketAddress peer;
    SocketAddress local;

    friend bool operator==(const Path &, const Path &) = default;
};

} // namespace dtlsd

/// Seeded once per process, so that a peer cannot choose its bucket.
template <>
struct std::hash<dtlsd::SocketAddress>
{
    std::size_t operator()(const dtlsd::SocketAddress &address) const noexcept;
};

template <>
struct std::hash<dtlsd::Path>
{
    std::size_t operator()(const dtlsd::Path &path) const noexcept;
};
