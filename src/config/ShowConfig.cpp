// SPDX-License-Identifier: Apache-2.0
#include "config/Config.h"
#include "config/ConfigSchema.h"
#include "config/IdentitySections.h"
#include "config/IniValue.h"
#include "config/RegularFile.h"
#include "core/Escape.h"
#include "core/Quantity.h"
#include "core/Version.h"

#include <QSet>

#include <algorithm>

namespace dtlsd {

namespace {

constexpr qsizetype listedIdentities = 1000; // of the key file; a longer list would help nobody

QString entry(const QString &key, const QString &value)
{
    const QString written = writtenIniValue(value);
    return written.isEmpty() ? key + QStringLiteral(" =\n")
                             : QStringLiteral("%1 = %2\n").arg(key, written);
}

QString header(const Config &config)
{
    const QString origin =
        config.file.isEmpty() ? QStringLiteral("the built-in defaults") : shownPath(config.file);
    return QStringLiteral("; dtlsd %1: the configuration in effect, of %2.\n"
                          "; Keys are shown as fingerprints.\n")
        .arg(version, origin);
}

QString settings(const Config &config)
{
    QString text;
    QString section;
    for (const auto &key : configKeys()) {
        if (key.section != section)
            text += QStringLiteral("\n[%1]\n").arg(key.section);
        section = key.section;
        text += entry(key.name, key.write(config));
    }
    return text;
}

QString fingerprint(const PskKey &key)
{
    return QString::fromLatin1(key.fingerprint());
}

QString section(const QByteArray &name, const PskIdentity &identity)
{
    QString text = QStringLiteral("\n[%1]\n; key = %2\n")
                       .arg(identitySection(name), fingerprint(identity.key));
    if (!identity.nextKey.isEmpty())
        text += QStringLiteral("; next_key = %1\n").arg(fingerprint(identity.nextKey));
    for (const auto &key : identityKeys())
        text += entry(key.name, key.write(identity));
    return text;
}

QString fileIdentities(const Config &config)
{
    const QSet<QByteArray> sections(config.keys.sections.begin(), config.keys.sections.end());
    QList<QByteArray> names = config.settings.identities->identities().keys();
    names.removeIf([&](const QByteArray &name) { return sections.contains(name); });
    if (names.isEmpty())
        return {};
    QString text =
        QStringLiteral("\n; %1 from %2\n")
            .arg(counted(names.size(), "identity", "identities"), shownPath(config.keys.file));
    if (names.size() > listedIdentities)
        return text;
    std::sort(names.begin(), names.end());
    for (const QByteArray &name : names)
        text += QStringLiteral(";   %1 %2\n")
                    .arg(escaped(name, 2 * PskStore::maximumIdentitySize),
                         fingerprint(config.settings.identities->find(name)->key));
    return text;
}

} // namespace

QByteArray showConfig(const Config &config)
{
    const PskStore &store = *config.settings.identities;
    QString text = header(config) + settings(config) + fileIdentities(config);
    for (const QByteArray &name : config.keys.sections)
        text += section(name, *store.find(name));
    if (const auto &wildcard = store.wildcard())
        text += section("*", *wildcard);
    return text.toUtf8();
}

} // namespace dtlsd
