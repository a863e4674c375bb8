// SPDX-License-Identifier: Apache-2.0
//
// Settings of a server in a MemoryNetwork, and the clients that fit.
#pragma once

#include "support/MemoryNetwork.h"

#include <QByteArray>
#include <QList>

#include <array>
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

/// The same, with one reply.
inline ServerSettings everySuiteReplying(const QString &reply = QStringLiteral("got it"))
{
    ServerSettings settings = everySuite();
    settings.reply.reply = ReplyTemplate::parse(reply).value();
    return settings;
}

/// OpenSSL's names of the suites of everySuite().
inline constexpr std::array suiteNames{"PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384",
                                       "PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305",
                                       "PSK-AES128-CCM",        "PSK-AES128-CCM8",
                                       "PSK-AES256-CCM8"};

/// A client of @p identity with MemoryNetwork::key().
inline DtlsClient::Options device(const QByteArray &identity)
{
    DtlsClient::Options options = MemoryNetwork::defaultClient();
    options.identity = identity;
    return options;
}

} // namespace dtlsd::test
