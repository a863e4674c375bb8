// SPDX-License-Identifier: Apache-2.0
//
// DeviceKey: who a tool is to be for a server, from where its user keeps the key. No tool takes a
// key as an argument: those are there for every user of the machine to read.
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

    /// The entry of @p identity in a key file as dtlsd reads it, or the only one if none is named.
    static Result<DeviceKey> fromFile(const QString &file,
                                      const std::optional<QByteArray> &identity);
    static Result<DeviceKey> fromEnvironment(const QString &variable, const QByteArray &identity);
};

} // namespace dtlsd
