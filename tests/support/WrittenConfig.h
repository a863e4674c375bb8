// SPDX-License-Identifier: Apache-2.0
//
// written(): a configuration as texts, so that two of them can be compared.
#pragma once

#include "config/ConfigSchema.h"

#include <QStringList>

namespace dtlsd::test {

/// Every value as in the file.
inline QStringList written(const Config &config)
{
    QStringList values;
    for (const auto &key : configKeys())
        values += key.section + u'.' + key.name + u'=' + key.write(config);
    return values;
}

/// Everything about every identity, keys included.
inline QStringList written(const PskStore &store)
{
    QStringList values;
    const auto add = [&values](const QByteArray &name, const PskIdentity &identity) {
        QString text = QString::fromLatin1(name.toHex() + ' ' + identity.key.bytes().toHex() + ' ' +
                                           identity.nextKey.bytes().toHex());
        for (const auto &key : identityKeys())
            text += u' ' + key.write(identity);
        values += text;
    };
    for (auto it = store.identities().cbegin(); it != store.identities().cend(); ++it)
        add(it.key(), it.value());
    if (const auto &wildcard = store.wildcard())
        add("*", *wildcard);
    values.sort();
    return values;
}

} // namespace dtlsd::test
