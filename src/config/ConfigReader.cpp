// SPDX-License-Identifier: Apache-2.0
#include "config/ConfigReader.h"

#include "config/ConfigSchema.h"
#include "config/ForwardCheck.h"
#include "config/KeyText.h"
#include "config/ListenCheck.h"
#include "config/PskFile.h"
#include "config/ValueCodec.h"
#include "core/Escape.h"

#include <QFileInfo>

#include <algorithm>
#include <memory>
#include <utility>

#include <sys/stat.h>

namespace dtlsd {

namespace {

constexpr std::int64_t iniFileLimit = std::int64_t{1} << 20;

} // namespace

ConfigReader::ConfigReader(const QString &file, const QString &keyDirectory, const Machine &machine)
    : m_keyDirectory(keyDirectory)
    , m_machine(machine)
    , m_diagnostics(file)
{
    m_config.file = file;
    addFile(file);
}

void ConfigReader::addFile(const QString &path)
{
    if (!path.isEmpty())
        m_files += path;
}

ConfigResult ConfigReader::read(const RegularFile &text)
{
    m_document = IniDocument::parse(text.content);
    for (const IniDocument::Problem &problem : m_document.problems())
        m_diagnostics.error({problem.line, problem.section, problem.key}, problem.text);
    readSections();
    checkDefaultCiphers();
    checkListen();
    readCookieSecret();
    readIdentities();
    checkForward(m_document, m_config, m_machine, m_diagnostics);
    checkReceiptsAreLogged();
    judgeAccess(text);
    warnAboutOwners();
    return {std::move(m_config), m_diagnostics.errors(), m_diagnostics.warnings(), m_files,
            m_diagnostics.missing()};
}

void ConfigReader::readSections()
{
    const QStringList known = sectionNames();
    for (const IniDocument::Section &section : m_document.sections()) {
        if (IdentitySections::isOne(section))
            continue; // they need [tls] and [psk] first
        if (known.contains(section.name))
            readSection(section);
        else
            unknownSection(section);
    }
}

void ConfigReader::readSection(const IniDocument::Section &section)
{
    const auto &keys = configKeys();
    for (const IniDocument::Entry &entry : section.entries) {
        const IniPlace place{entry.line, section.name, entry.key};
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto &candidate) {
            return candidate.section == section.name && candidate.name == entry.key;
        });
        if (key == keys.end()) {
            // A line `identity:key`, which has a secret in it, may be in [psk] by mistake.
            reportUnknownKey(place, keyNames(place.section), place.section == u"psk",
                             m_diagnostics);
        } else if (const Result<> read = key->read(m_config, entry.value); !read) {
            m_diagnostics.error(place, read.error().message);
        }
    }
}

void ConfigReader::unknownSection(const IniDocument::Section &section)
{
    const QStringList names = sectionNames() + QStringList{QStringLiteral("identity NAME")};
    m_diagnostics.error(
        {section.line, section.name, {}},
        QStringLiteral("the section is unknown%1; %2")
            .arg(suggestion(section.name, names, QStringLiteral("[%1]")), acceptedNames(names)));
}

bool ConfigReader::hasProblems(const IniDocument::Section &section) const
{
    const auto &problems = m_document.problems();
    return std::any_of(problems.begin(), problems.end(), [&](const IniDocument::Problem &problem) {
        return problem.section == section.name;
    });
}

/// A list that is named is checked when it is read.
void ConfigReader::checkDefaultCiphers()
{
    if (m_document.find(u"tls", u"ciphers"))
        return;
    const QString list = m_config.settings.tls.ciphers.text();
    if (const auto checked = CipherPolicy::parse(list); !checked)
        m_diagnostics.error(
            {0, QStringLiteral("tls"), QStringLiteral("ciphers")},
            QStringLiteral("the default, %1, %2").arg(list, checked.error().message));
}

void ConfigReader::checkListen()
{
    const IniDocument::Entry *entry = m_document.find(u"server", u"listen");
    const IniPlace place{entry ? entry->line : 0, QStringLiteral("server"),
                         QStringLiteral("listen")};
    dtlsd::checkListen(entry ? listElements(entry->value) : QStringList(), place, m_machine,
                       m_config.server.listen, m_diagnostics);
}

void ConfigReader::readCookieSecret()
{
    CookieOptions &cookies = m_config.cookies;
    const IniDocument::Entry *entry = m_document.find(u"server", u"cookie_secret");
    if (cookies.file.isEmpty() || entry == nullptr)
        return;
    cookies.file = resolvedPath(cookies.file, m_keyDirectory);
    addFile(cookies.file);
    Result<PskKey> secret = dtlsd::readKeyFile(cookies.file);
    const auto wrong = [&](const QString &text) {
        m_diagnostics.error({entry->line, QStringLiteral("server"), entry->key},
                            shownPath(cookies.file) + QStringLiteral(": ") + text);
    };
    if (!secret)
        return wrong(secret.error().message);
    if (secret.value().size() < CookieOptions::minimumSize)
        return wrong(
            QStringLiteral("the secret in it is %1 bytes long; %2 to %3 bytes are accepted")
                .arg(secret.value().size())
                .arg(CookieOptions::minimumSize)
                .arg(PskKey::maximumSize));
    cookies.secret = std::move(secret).value();
}

void ConfigReader::readIdentities()
{
    auto store = std::make_shared<PskStore>();
    const KeyRules rules{static_cast<qsizetype>(m_config.keys.minimumSize), m_keyDirectory};
    ReplyTemplate &reply = m_config.settings.reply.reply;
    IdentitySections sections(m_config.file, rules, reply, *store, m_diagnostics);
    if (m_config.forward.target != SocketAddress() && !m_document.find(u"server", u"reply"))
        reply = ReplyTemplate::none(); // the service replies
    for (const IniDocument::Section &section : m_document.sections()) {
        if (IdentitySections::isOne(section))
            sections.read(section, hasProblems(section));
    }
    m_config.keys.sections = sections.names();
    m_hasInlineKey = sections.hasInlineKey();
    m_files += sections.files();
    readKeyFile(*store, sections.taken());
    checkAnyIdentity(*store);
    m_config.settings.identities = std::move(store);
}

void ConfigReader::readKeyFile(PskStore &store, const TakenIdentities &taken)
{
    QString &path = m_config.keys.file;
    if (path.isEmpty())
        return;
    path = resolvedPath(path, m_keyDirectory);
    addFile(path);
    const IniDocument::Entry *entry = m_document.find(u"psk", u"file");
    if (entry == nullptr && RegularFile::isAbsent(path))
        return path.clear();
    const PskFileMessages messages =
        addPskFile(path, static_cast<qsizetype>(m_config.keys.minimumSize), taken, store);
    m_identitiesBroken = !messages.errors.isEmpty();
    if (entry != nullptr && m_identitiesBroken && messages.errors[0].line == 0) // the file itself
        return m_diagnostics.error({entry->line, QStringLiteral("psk"), entry->key},
                                   shownPath(path) + QStringLiteral(": ") +
                                       messages.errors[0].text);
    m_diagnostics.add(messages.errors, messages.warnings);
}

void ConfigReader::checkAnyIdentity(const PskStore &store)
{
    const auto &sections = m_document.sections();
    const bool any = !store.isEmpty() || m_identitiesBroken || !m_document.problems().isEmpty() ||
                     std::any_of(sections.begin(), sections.end(), IdentitySections::isOne);
    if (any)
        return;
    const QString keyFile =
        m_config.keys.file.isEmpty() ? QString(defaultKeyFile) : m_config.keys.file;
    m_diagnostics.error({}, QStringLiteral("no identity is configured; a line identity:hexkey in "
                                           "%1 ([psk] file) or a section [identity NAME] with "
                                           "key = hex:... is accepted")
                                .arg(shownPath(keyFile)));
}

/// A datagram that was acknowledged is in the log. A level that drops datagrams would break that.
void ConfigReader::checkReceiptsAreLogged()
{
    if (m_config.log.level >= Priority::Info)
        return;
    const PskStore &store = *m_config.settings.identities;
    checkReceiptIsLogged(m_config.settings.reply.reply, QStringLiteral("[server]"));
    for (const QByteArray &name : m_config.keys.sections) {
        if (const auto &reply = store.find(name)->reply)
            checkReceiptIsLogged(
                *reply, QStringLiteral("[%1]").arg(escaped(identitySection(name).toUtf8())));
    }
    if (const auto &wildcard = store.wildcard(); wildcard && wildcard->reply)
        checkReceiptIsLogged(*wildcard->reply, QStringLiteral("[identity *]"));
}

void ConfigReader::checkReceiptIsLogged(const ReplyTemplate &reply, const QString &where)
{
    const IniDocument::Entry *level = m_document.find(u"log", u"level");
    if (!reply.isReceipt() || level == nullptr)
        return;
    m_diagnostics.error({level->line, QStringLiteral("log"), level->key},
                        QStringLiteral("%1 with a reply other than none and echo in %2 would "
                                       "acknowledge datagrams that are not in the log; level = "
                                       "info or debug, or reply = none or echo, is accepted")
                            .arg(shown(level->value), where));
}

/// A file without keys only gets a warning: it still says where the keys are.
void ConfigReader::judgeAccess(const RegularFile &text)
{
    const FileTrust &trust = text.trust;
    if (!trust.error.isEmpty() && m_hasInlineKey)
        m_diagnostics.error({}, trust.error);
    else if (!trust.error.isEmpty())
        m_diagnostics.warning({}, trust.error);
    if (m_hasInlineKey && !trust.warning.isEmpty())
        m_diagnostics.warning({}, trust.warning);
    if (m_hasInlineKey && (text.mode & S_IROTH) != 0)
        m_diagnostics.warning({}, QStringLiteral("others can read the keys in this file (mode "
                                                 "%1); chmod 0640 %2 mends that")
                                      .arg(shownMode(text.mode), shownPath(m_config.file)));
}

void ConfigReader::warnAboutOwners()
{
    QStringList keyFiles = m_files;
    keyFiles.removeAll(m_config.file);
    keyFiles.removeDuplicates();
    for (const QString &path : std::as_const(keyFiles)) {
        const QString warning = FileTrust::ofFile(path).warning;
        if (!warning.isEmpty())
            m_diagnostics.warning({}, shownPath(path) + QStringLiteral(": ") + warning);
    }
}

ConfigResult loadConfig(const QString &file, const QString &credentials, const Machine &machine)
{
    const QString keyDirectory =
        credentials.isEmpty() ? QFileInfo(file).absolutePath() : credentials;
    const Result<RegularFile> text = RegularFile::read(file, iniFileLimit);
    if (text)
        return ConfigReader(file, keyDirectory, machine).read(text.value());
    ConfigResult result;
    result.config.file = file;
    result.files += file;
    result.errors.append({file, 0, text.error().message});
    return result;
}

QString ControlOptions::defaultSocket()
{
    const QString folder =
        qEnvironmentVariable("RUNTIME_DIRECTORY").section(u':', 0, 0); // there may be several
    return (folder.startsWith(u'/') ? folder : QStringLiteral("/run/dtlsd")) +
           QStringLiteral("/control.sock");
}

ConfigResult loadConfigOrDefault(const QString &file)
{
    const QString credentials = qEnvironmentVariable("CREDENTIALS_DIRECTORY");
    const QString path = file.isEmpty() ? QString(defaultConfigFile) : file;
    return file.isEmpty() && !QFileInfo::exists(path) ? loadDefaultConfig(credentials)
                                                      : loadConfig(path, credentials);
}

ConfigResult loadDefaultConfig(const QString &credentials, const Machine &machine)
{
    const QString keyDirectory =
        credentials.isEmpty() ? QFileInfo(QString(defaultKeyFile)).absolutePath() : credentials;
    return ConfigReader({}, keyDirectory, machine).read({});
}

} // namespace dtlsd
