// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QString>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dtlsd {

/// The connection ID by which a server of ours finds a session (RFC 9146 §3), in each record of the
/// device: the number of a node, that of a worker, and six random bytes.
struct ConnectionId
{
    static constexpr std::size_t size = 8;
    static constexpr std::size_t nodePlace = 0;
    static constexpr std::size_t workerPlace = 1;

    /// Of @p view, which has as many bytes.
    static ConnectionId of(QByteArrayView view)
    {
        ConnectionId id;
        std::memcpy(id.bytes.data(), view.data(), size);
        return id;
    }

    [[nodiscard]] QByteArrayView view() const
    {
        return {reinterpret_cast<const char *>(bytes.data()), static_cast<qsizetype>(size)};
    }
    /// 16 hex digits
    [[nodiscard]] QString text() const { return QString::fromLatin1(view().toByteArray().toHex()); }
    [[nodiscard]] std::uint8_t worker() const { return bytes[workerPlace]; }

    friend bool operator==(const ConnectionId &, const ConnectionId &) = default;

    std::array<unsigned char, size> bytes{};
};

} // namespace dtlsd

/// Of its random bytes; a device cannot choose them.
template <>
struct std::hash<dtlsd::ConnectionId>
{
    std::size_t operator()(const dtlsd::ConnectionId &id) const noexcept
    {
        std::size_t value = 0;
        std::memcpy(&value, id.bytes.data(), std::min(sizeof value, id.bytes.size()));
        return value * 0x9e37'79b9'7f4a'7c15U;
    }
};
