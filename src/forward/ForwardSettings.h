// SPDX-License-Identifier: Apache-2.0
//
// Which local service gets what a device says.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/Psk.h"
#include "forward/ForwardOptions.h"

#include <QByteArray>
#include <QList>

#include <memory>

namespace dtlsd {

/// `[server]` and the identities together. Immutable and shared: a change makes a new object.
class ForwardSettings
{
public:
    ForwardSettings(const ForwardOptions &options, std::shared_ptr<const PskStore> identities);

    /// Whether any identity has a service.
    [[nodiscard]] bool isUsed() const { return !m_targets.isEmpty(); }
    /// Every service that an identity may have.
    [[nodiscard]] const QList<SocketAddress> &targets() const { return m_targets; }
    /// SocketAddress() = none.
    [[nodiscard]] SocketAddress targetOf(const QByteArray &identity) const;
    [[nodiscard]] ForwardOptions::Header header() const { return m_options.header; }

private:
    ForwardOptions m_options;
    std::shared_ptr<const PskStore> m_identities;
    QList<SocketAddress> m_targets;
};

} // namespace dtlsd
