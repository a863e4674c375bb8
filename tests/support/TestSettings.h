// SPDX-License-Identifier: Apache-2.0
//
// Settings of a server in a MemoryNetwork, and the clients that fit.
#pragma once

#include "support/MemoryNetwork.h"

#include <QByteArray>
#include <QList>

#include <memory>

namespace dtlsd::test {

/// Accepts @p identities with MemoryNetwork::key().
inline ServerSettings settingsWith(const QList<QByteArray> &identities, bool hasWildcard = false)
{
    auto store = std::make_shared<PskStore>();
    PskIdentity entry;
    entry.key = MemoryNetwork::key();
    for (const QByteArray &identity : identities)
        store->add(identity, entry);
    if (hasWildcard)
        store->setWildcard(entry);
    ServerSettings settings;
    settings.identities = store;
    return settings;
}

/// The default settings, with every suite that dtlsd speaks.
inline ServerSettings everySuite()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    settings.tls.ciphers = CipherPolicy::parse(QStringLiteral("iot")).value();
    return settings;
}

/// A client of @p identity with MemoryNetwork::key().
inline DtlsClient::Options device(const QByteArray &identity)
{
    DtlsClient::Options options = MemoryNetwork::defaultClient();
    options.identity = identity;
    return options;
}

} // namespace dtlsd::test
