// SPDX-License-Identifier: Apache-2.0
//
// DeviceKey: the identity and key of a tool that acts as a device, from a file or the environment.
// No tool takes a key as an argument: every user of the machine can read arguments.
#pragma once

#include "core/Result.h"
#include "dtls/Psk.h"

#include <QByteArray>
#include <QString>

#include <optional>

namespace dtlsd {

struct DeviceKey
{
    QByteArray identity;
    PskKey key;

    /// The entry of @p identity in a key file of dtlsd; without @p identity the only entry.
    static Result<DeviceKey> fromFile(const QString &file,
                                      const std::optional<QByteArray> &identity);
    static Result<DeviceKey> fromEnvironment(const QString &variable, const QByteArray &identity);
};

} // namespace dtlsd
