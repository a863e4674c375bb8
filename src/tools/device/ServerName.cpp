// SPDX-License-Identifier: Apache-2.0
#include "tools/device/ServerName.h"

#include "core/Quantity.h"

#include <QHostInfo>

#include <optional>

namespace dtlsd {

namespace {

std::optional<SocketAddress> resolve(const QString &hostAndPort)
{
    if (const auto address = SocketAddress::parse(hostAndPort))
        return address;
    const qsizetype colon = hostAndPort.lastIndexOf(u':');
    const auto port = parseWholeNumber(QStringView(hostAndPort).sliced(colon + 1));
    if (colon <= 0 || !port || *port < 1 || *port > 65535)
        return std::nullopt;
    const QList<QHostAddress> addresses = QHostInfo::fromName(hostAndPort.first(colon)).addresses();
    if (addresses.isEmpty())
        return std::nullopt;
    return SocketAddress(addresses.constFirst(), static_cast<std::uint16_t>(*port));
}

} // namespace

Result<SocketAddress> resolveServer(const QString &hostAndPort)
{
    if (const auto server = resolve(hostAndPort))
        return *server;
    return Error{QStringLiteral("%1 is no server; an address or a name with a port is accepted, "
                                "such as 192.0.2.7:22334 or [::1]:22334")
                     .arg(hostAndPort)};
}

} // namespace dtlsd
