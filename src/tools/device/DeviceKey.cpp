// SPDX-License-Identifier: Apache-2.0
#include "tools/device/DeviceKey.h"

#include "config/KeyText.h"
#include "config/PskFile.h"
#include "core/Escape.h"

#include <utility>

namespace dtlsd {

Result<DeviceKey> DeviceKey::fromFile(const QString &file,
                                      const std::optional<QByteArray> &identity)
{
    PskStore store;
    const QList<ConfigMessage> errors = addPskFile(file, 1, {}, store).errors;
    if (!errors.isEmpty())
        return Error{errors.constFirst().toString()};
    const auto &identities = store.identities();
    if (!identity && identities.size() != 1)
        return Error{QStringLiteral("%1 holds %2 identities; name one with --psk-identity")
                         .arg(file)
                         .arg(identities.size())};
    const auto entry = identity ? identities.constFind(*identity) : identities.cbegin();
    if (entry == identities.cend())
        return Error{QStringLiteral("%1 holds no identity \"%2\"")
                         .arg(file, escaped(identity.value_or(QByteArray())))};
    return DeviceKey{entry.key(), entry->key};
}

Result<DeviceKey> DeviceKey::fromEnvironment(const QString &variable, const QByteArray &identity)
{
    const QByteArray name = variable.toLocal8Bit();
    if (!qEnvironmentVariableIsSet(name.constData()))
        return Error{QStringLiteral("the environment has no variable %1").arg(variable)};
    auto key = parseBareKey(qgetenv(name.constData()));
    if (!key)
        return Error{QStringLiteral("the variable %1 %2").arg(variable, key.error().message)};
    return DeviceKey{identity, std::move(key).value()};
}

} // namespace dtlsd
