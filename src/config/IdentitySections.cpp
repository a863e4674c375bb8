// SPDX-License-Identifier: Apache-2.0
#include "config/IdentitySections.h"

#include "config/ConfigSchema.h"
#include "config/RegularFile.h"
#include "core/Escape.h"

#include <algorithm>

namespace dtlsd {

namespace {

constexpr QStringView prefix = u"identity ";
constexpr QStringView emptyName = u"\"\"";

QStringList knownKeys()
{
    QStringList names{QStringLiteral("key"), QStringLiteral("next_key")};
    for (const auto &key : identityKeys())
        names += key.name;
    return names;
}

bool hasEntry(const IniDocument::Section &section, QStringView key)
{
    return std::any_of(section.entries.begin(), section.entries.end(),
                       [key](const IniDocument::Entry &entry) { return entry.key == key; });
}

} // namespace

QString identitySection(QByteArrayView name)
{
    return prefix.toString() + (name.isEmpty() ? emptyName.toString() : QString::fromUtf8(name));
}

QByteArray identityOf(QStringView section)
{
    const QStringView name = section.sliced(std::min(prefix.size(), section.size()));
    return name == emptyName ? QByteArray() : name.toUtf8();
}

bool IdentitySections::isOne(const IniDocument::Section &section)
{
    return section.name == prefix.chopped(1) || section.name.startsWith(prefix);
}

void IdentitySections::read(const IniDocument::Section &section, bool hasProblems)
{
    const QByteArray name = identityOf(section.name);
    PskIdentity identity = readEntries(section);
    if (!hasProblems && !hasEntry(section, u"key"))
        m_diagnostics.error({section.line, section.name, {}},
                            QStringLiteral("there is no key; key = hex:..., base64:..., text:... "
                                           "or file:... is accepted"));
    if (!hasGoodName(section, name))
        return;
    if (name == "*") {
        m_diagnostics.warning({section.line, section.name, {}},
                              QStringLiteral("any device that holds this key is accepted under "
                                             "any name"));
        return m_store.setWildcard(std::move(identity));
    }
    if (const QString doubt = identityDoubt(name); !doubt.isEmpty())
        m_diagnostics.warning({section.line, section.name, {}}, doubt);
    m_names += name;
    m_taken.insert(name, QStringLiteral("%1:%2, [%3]")
                             .arg(shownPath(m_file))
                             .arg(section.line)
                             .arg(escaped(section.name.toUtf8())));
    // The name is new: IniDocument merges sections of one name.
    m_store.add(name, std::move(identity));
}

bool IdentitySections::hasGoodName(const IniDocument::Section &section, const QByteArray &name)
{
    const bool isNamed = section.name.startsWith(prefix);
    if (isNamed && PskStore::isValidIdentity(name))
        return true;
    const QString wrong =
        isNamed ? QStringLiteral("the identity has %1 bytes; up to %2 bytes are accepted")
                      .arg(name.size())
                      .arg(PskStore::maximumIdentitySize)
                : QStringLiteral("the identity has no name; [identity NAME] is accepted, and "
                                 "[identity \"\"] for the empty one");
    m_diagnostics.error({section.line, section.name, {}}, wrong);
    return false;
}

PskIdentity IdentitySections::readEntries(const IniDocument::Section &section)
{
    PskIdentity identity;
    for (const IniDocument::Entry &entry : section.entries)
        readEntry({entry.line, section.name, entry.key}, entry, identity);
    if (identity.forward && !identity.reply) // the service replies, if there is one
        identity.reply =
            *identity.forward == SocketAddress() ? m_unforwarded : ReplyTemplate::none();
    return identity;
}

void IdentitySections::readEntry(const IniPlace &place, const IniDocument::Entry &entry,
                                 PskIdentity &identity)
{
    const auto &keys = identityKeys();
    const auto known = std::find_if(keys.begin(), keys.end(),
                                    [&](const auto &key) { return key.name == entry.key; });
    const bool isSecret = entry.key == u"key" || entry.key == u"next_key";
    if (!isSecret && known == keys.end())
        return reportUnknownKey(place, knownKeys(), true, m_diagnostics);
    const Result<> read = isSecret ? readKey(entry, identity) : known->read(identity, entry.value);
    if (!read)
        m_diagnostics.error(place, read.error().message);
}

Result<> IdentitySections::readKey(const IniDocument::Entry &entry, PskIdentity &identity)
{
    const bool isNext = entry.key == u"next_key";
    if (entry.value.isEmpty() && isNext)
        return success();
    if (const auto path = pathIn(entry.value))
        m_files += resolvedPath(*path, m_rules.directory);
    else
        m_hasInlineKey = true;
    Result<PskKey> key = parseKey(entry.value, m_rules);
    if (!key)
        return key.error();
    (isNext ? identity.nextKey : identity.key) = std::move(key).value();
    return success();
}

} // namespace dtlsd
