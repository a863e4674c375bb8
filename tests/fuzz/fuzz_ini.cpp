// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes src/config: the input is a configuration file. It must give errors with line numbers, or a
// configuration with every value within its documented bounds that is read again as it is shown.
// The files that it can name are those of a FileJail.
#include "config/Config.h"
#include "config/ConfigReader.h"
#include "config/IdentitySections.h"
#include "config/IniDocument.h"
#include "fuzz/FileJail.h"
#include "fuzz/FuzzTarget.h"

#include <chrono>

using namespace dtlsd;
using namespace dtlsd::fuzz;
using namespace std::chrono_literals;

namespace {

const auto file = QStringLiteral("/jail/dtlsd.ini");
const auto directory = QStringLiteral("/jail");

ConfigResult read(QByteArrayView text)
{
    return ConfigReader(file, directory).read({text.toByteArray(), 0640, {}});
}

template <class T>
bool isWithin(T value, T least, T greatest)
{
    return value >= least && value <= greatest;
}

void checkProblems(const IniDocument &document, qsizetype lines)
{
    for (const IniDocument::Problem &problem : document.problems()) {
        require(problem.line >= 1 && problem.line <= lines, "a problem has a line");
        require(!problem.text.isEmpty(), "a problem says what is wrong");
    }
    for (const IniDocument::Section &section : document.sections()) {
        require(section.line >= 1 && section.line <= lines, "a section has a line");
        require(!section.name.isEmpty(), "a section has a name");
        for (const IniDocument::Entry &entry : section.entries) {
            const auto *found = document.find(section.name, entry.key);
            require(entry.line >= 1 && entry.line <= lines, "an entry has a line");
            require(found && found->line == entry.line, "each key is there once");
        }
    }
}

void checkMessages(const QList<ConfigMessage> &messages, qsizetype lines)
{
    for (const ConfigMessage &message : messages) {
        require(!message.text.isEmpty(), "a message says something");
        require(message.line >= 0 && (message.file != file || message.line <= lines),
                "a message is about a line");
    }
}

void checkServer(const Config &config)
{
    require(!config.server.listen.isEmpty(), "there is an address to listen on");
    require(isWithin<std::int64_t>(config.server.workers, 0, 256), "[server] workers");
    require(isWithin<std::int64_t>(config.server.receiveBuffer, 4 << 10, 1 << 30),
            "[server] receive_buffer");
    require(config.cookies.file.isEmpty() ||
                isWithin<qsizetype>(config.cookies.secret.size(), 32, 64),
            "[server] cookie_secret");
    require(config.settings.reply.identityHint.size() <= 128, "[server] identity_hint");
    require(isWithin<int>(config.settings.tls.mtu, 576, 9000), "[tls] mtu");
    require(!config.settings.tls.ciphers.cipherString().isEmpty(), "[tls] ciphers");
    require(isWithin<std::int64_t>(config.keys.minimumSize, 1, 64), "[tls] min_key_bytes");
    require(isWithin<std::int64_t>(config.log.queue, 1, 10'000'000), "[log] queue");
    require(isWithin<std::chrono::milliseconds>(config.log.statisticsInterval, 0s, 7 * 24h),
            "[log] statistics_interval");
    require(config.control.socket.isEmpty() || config.control.socket.startsWith(u'/'),
            "[control] socket");
}

void checkLimits(const Limits &limits)
{
    constexpr std::int64_t most = 10'000'000;
    require(isWithin<std::int64_t>(limits.maxSessions, 1, most), "max_sessions");
    require(isWithin<std::int64_t>(limits.maxHalfOpen, 1, most), "max_half_open");
    require(isWithin<std::int64_t>(limits.maxSessionsPerIdentity, 0, most),
            "max_sessions_per_identity");
    require(isWithin<std::int64_t>(limits.datagramsPerSecond, 0, most), "datagrams_per_second");
    require(isWithin<std::int64_t>(limits.handshakesPerSecond, 0, most), "handshakes_per_second");
    require(isWithin<std::chrono::milliseconds>(limits.handshakeTimeout, 1s, 5min),
            "handshake_timeout");
    require(isWithin<std::chrono::milliseconds>(limits.idleTimeout, 1s, 7 * 24h), "idle_timeout");
    require(isWithin<std::chrono::milliseconds>(limits.idleTimeoutWithId, 1s, 7 * 24h),
            "idle_timeout_with_id");
}

void checkIdentity(const PskIdentity &identity, qsizetype minimumSize)
{
    const auto isKeySize = [&](qsizetype size) {
        return isWithin<qsizetype>(size, minimumSize, PskKey::maximumSize);
    };
    require(isKeySize(identity.key.size()), "an identity has a key within bounds");
    require(identity.nextKey.isEmpty() || isKeySize(identity.nextKey.size()), "so is its next");
    for (const Subnet &subnet : identity.allowFrom)
        require(!subnet.first.isNull() && isWithin(subnet.second, 0, 128), "allow_from");
}

void checkIdentities(const Config &config)
{
    const PskStore &store = *config.settings.identities;
    const auto minimumSize = static_cast<qsizetype>(config.keys.minimumSize);
    require(!store.isEmpty(), "what is accepted has an identity");
    for (auto entry = store.identities().begin(); entry != store.identities().end(); ++entry) {
        require(PskStore::isValidIdentity(entry.key()), "an identity is valid");
        checkIdentity(*entry, minimumSize);
    }
    if (const auto &wildcard = store.wildcard())
        checkIdentity(*wildcard, minimumSize);
}

/// What --show-config prints, with the keys instead of their fingerprints.
QByteArray shownWithKeys(const Config &config)
{
    QByteArray text;
    const PskIdentity *identity = nullptr;
    for (QByteArray line : showConfig(config).split('\n')) {
        if (line.startsWith("[identity "))
            identity = config.settings.identities->find(
                identityOf(QString::fromUtf8(line.sliced(1).chopped(1))));
        if (identity && line.startsWith("; key = "))
            line = "key = hex:" + identity->key.bytes().toHex();
        if (identity && line.startsWith("; next_key = "))
            line = "next_key = hex:" + identity->nextKey.bytes().toHex();
        text += line + '\n';
    }
    return text;
}

void checkShown(const Config &config)
{
    const ConfigResult again = read(shownWithKeys(config));
    require(again.errors.isEmpty(), "what is shown is accepted");
    require(showConfig(again.config) == showConfig(config), "what is shown is read as it is");
}

void fillJail()
{
    FileJail &jail = FileJail::instance();
    jail.add("/jail/psk.txt", "first:00112233445566778899aabbccddeeff\n"
                              "second:ffeeddccbbaa99887766554433221100\n");
    jail.add("/jail/broken.txt", "no colon\nfirst:short\n");
    jail.add("/jail/one.key", "hex:00112233445566778899aabbccddeeff\n");
    jail.add("/jail/empty", {});
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const bool filled = (fillJail(), true);
    const FileJail::Stay stay;
    const QByteArrayView text = viewOf(data, size);
    const qsizetype lines = text.count('\n') + 1;
    const IniDocument document = IniDocument::parse(text);
    checkProblems(document, lines);
    const ConfigResult result = read(text);
    checkMessages(result.errors, lines);
    checkMessages(result.warnings, lines);
    require(document.problems().isEmpty() || !result.errors.isEmpty(), "no problem is forgotten");
    // An interface that is not there cannot be shown as it was written.
    if (!filled || !result.errors.isEmpty() || !result.missing.isEmpty())
        return 0;
    checkServer(result.config);
    checkLimits(result.config.settings.limits);
    checkIdentities(result.config);
    checkShown(result.config);
    return 0;
}
