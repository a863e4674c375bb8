// SPDX-License-Identifier: Apache-2.0
#include "config/ConfigSchema.h"

#include "config/KeyText.h"
#include "config/ValueCodec.h"

#include <optional>
#include <utility>

namespace dtlsd {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t manyEntries = 10'000'000; // a larger number is a typing error
constexpr auto week = 7 * 24h;

// 576: the least that every IPv4 host accepts (RFC 791 §3.1). 9000: Ethernet jumbo frames; above it
// each flight would be fragmented.
constexpr std::uint16_t leastMtu = 576;
constexpr std::uint16_t greatestMtu = 9000;

constexpr qsizetype hintSize = 128;       // RFC 4279 §5.3: every client supports it
constexpr qsizetype socketPathSize = 107; // sockaddr_un without its NUL
constexpr qsizetype filePathSize = 4095;  // PATH_MAX without its NUL

/// One row of the table: @p field returns the member of the target to read and write.
template <class Target, class T, class Field>
ConfigKey<Target> row(const char16_t *section, const char16_t *name, const ValueCodec<T> &codec,
                      Field field)
{
    ConfigKey<Target> key;
    key.section = QStringView(section).toString();
    key.name = QStringView(name).toString();
    key.read = [codec, field](Target &target, const QString &text) -> Result<> {
        Result<T> value = codec.parse(text);
        if (!value)
            return Error{value.error().message + QStringLiteral("; ") + codec.accepted};
        field(target) = std::move(value).value();
        return success();
    };
    key.write = [codec, field](const Target &target) -> QString {
        return codec.format(field(target));
    };
    key.isSame = [field](const Target &a, const Target &b) { return field(a) == field(b); };
    key.copy = [field](const Target &from, Target &to) { field(to) = field(from); };
    return key;
}

/// An optional value: empty text is nullopt.
template <class T>
ValueCodec<std::optional<T>> optionally(const ValueCodec<T> &codec)
{
    return {
        [codec](const QString &text) -> Result<std::optional<T>> {
            if (text.isEmpty())
                return std::optional<T>();
            Result<T> value = codec.parse(text);
            if (!value)
                return value.error();
            return std::optional<T>(std::move(value).value());
        },
        [codec](const std::optional<T> &value) { return value ? codec.format(*value) : QString(); },
        QStringLiteral("nothing, ") + codec.accepted};
}

ValueCodec<TlsOptions::UnknownIdentity> unknownIdentity()
{
    using UnknownIdentity = TlsOptions::UnknownIdentity;
    return choice<UnknownIdentity>({{QStringLiteral("hide"), UnknownIdentity::Hide},
                                    {QStringLiteral("alert"), UnknownIdentity::Alert}});
}

ValueCodec<std::optional<BackendKind>> backendOrAuto()
{
    std::vector<std::pair<QString, std::optional<BackendKind>>> words{
        {QStringLiteral("auto"), std::nullopt}};
    for (const auto &[name, kind] : backendNames)
        words.emplace_back(name, kind);
    return choice(words);
}

/// Empty text is no service, as `none` is.
ValueCodec<SocketAddress> serviceOrNothing()
{
    const auto service = serviceAddress();
    return {[parse = service.parse](const QString &text) -> Result<SocketAddress> {
                return text.isEmpty() ? SocketAddress() : parse(text);
            },
            [format = service.format](const SocketAddress &address) {
                return address == SocketAddress() ? QString() : format(address);
            },
            QStringLiteral("nothing, ") + service.accepted};
}

ValueCodec<ForwardOptions::Header> forwardHeader()
{
    using Header = ForwardOptions::Header;
    return choice<Header>(
        {{QStringLiteral("none"), Header::None}, {QStringLiteral("proxy"), Header::Proxy}});
}

ValueCodec<bool> yesOrNo()
{
    return choice<bool>({{QStringLiteral("yes"), true}, {QStringLiteral("no"), false}});
}

ValueCodec<bool> autoOrNo()
{
    return choice<bool>({{QStringLiteral("auto"), true}, {QStringLiteral("no"), false}});
}

/// Only its path; ConfigReader reads the file.
ValueCodec<CookieOptions> cookieSecret()
{
    return {[](const QString &text) -> Result<CookieOptions> {
                const auto path = pathIn(text);
                if (path && path->isEmpty())
                    return Error{QStringLiteral("has no path behind file:")};
                if (!path && !text.isEmpty())
                    return Error{QStringLiteral("does not begin with file:")};
                return CookieOptions{path.value_or(QString()), {}};
            },
            [](const CookieOptions &cookies) {
                return cookies.file.isEmpty() ? QString() : QStringLiteral("file:") + cookies.file;
            },
            QStringLiteral("nothing or file: and a path is accepted")};
}

template <class T, class Field>
ConfigKey<Config> key(const char16_t *section, const char16_t *name, const ValueCodec<T> &codec,
                      Field field)
{
    return row<Config>(section, name, codec, field);
}

/// A key whose value is fixed at start: threads, sockets, the cookie secret, the store of
/// sessions, the TLS backend, the sink and its queue.
ConfigKey<Config> madeOnce(ConfigKey<Config> key)
{
    key.needsRestart = true;
    return key;
}

// Returns the member for a row, from a const target or a mutable one.
#define DTLSD_AT(member) ([](auto &config) -> auto & { return config.member; })

std::vector<ConfigKey<Config>> makeConfigKeys()
{
    const auto count = wholeNumber(1, manyEntries);
    const QString off = QStringLiteral("off");
    const QString noLimit = QStringLiteral("no limit");
    const auto countOrNoLimit = wholeNumberOrZero(manyEntries, noLimit);
    return {
        key(u"server", u"listen", listenAddresses(), DTLSD_AT(server.listen)),
        madeOnce(key(u"server", u"workers", wholeNumberOrAuto(256), DTLSD_AT(server.workers))),
        key(u"server", u"identity_hint", shortText(hintSize),
            DTLSD_AT(settings.reply.identityHint)),
        key(u"server", u"reply", replyTemplate(), DTLSD_AT(settings.reply.reply)),
        key(u"server", u"forward", serviceOrNothing(), DTLSD_AT(forward.target)),
        key(u"server", u"forward_header", forwardHeader(), DTLSD_AT(forward.header)),
        madeOnce(key(u"server", u"receive_buffer", byteSize(4 << 10, 1 << 30),
                     DTLSD_AT(server.receiveBuffer))),
        madeOnce(key(u"server", u"cookie_secret", cookieSecret(), DTLSD_AT(cookies))),
        key(u"server", u"watch_interval", durationOrZero(100ms, 24h, off), DTLSD_AT(watchInterval)),
        madeOnce(key(u"server", u"keep_sessions", autoOrNo(), DTLSD_AT(server.keepSessions))),
        key(u"server", u"node", narrowNumber<std::uint8_t>(0, 255), DTLSD_AT(settings.node)),

        key(u"tls", u"ciphers", cipherPolicy(), DTLSD_AT(settings.tls.ciphers)),
        madeOnce(key(u"tls", u"backend", backendOrAuto(), DTLSD_AT(tlsBackend))),
        key(u"tls", u"connection_ids", yesOrNo(), DTLSD_AT(settings.tls.connectionIds)),
        key(u"tls", u"mtu", narrowNumber(leastMtu, greatestMtu), DTLSD_AT(settings.tls.mtu)),
        key(u"tls", u"min_key_bytes", wholeNumber(1, PskKey::maximumSize),
            DTLSD_AT(keys.minimumSize)),
        key(u"tls", u"unknown_identity", unknownIdentity(), DTLSD_AT(settings.tls.unknownIdentity)),

        key(u"limits", u"max_sessions", count, DTLSD_AT(settings.limits.maxSessions)),
        key(u"limits", u"max_sessions_per_identity", countOrNoLimit,
            DTLSD_AT(settings.limits.maxSessionsPerIdentity)),
        key(u"limits", u"max_half_open", count, DTLSD_AT(settings.limits.maxHalfOpen)),
        key(u"limits", u"handshakes_per_second", countOrNoLimit,
            DTLSD_AT(settings.limits.handshakesPerSecond)),
        key(u"limits", u"datagrams_per_second", countOrNoLimit,
            DTLSD_AT(settings.limits.datagramsPerSecond)),
        key(u"limits", u"handshake_timeout", duration(1s, 5min),
            DTLSD_AT(settings.limits.handshakeTimeout)),
        key(u"limits", u"idle_timeout", duration(1s, week), DTLSD_AT(settings.limits.idleTimeout)),
        key(u"limits", u"idle_timeout_with_id", duration(1s, week),
            DTLSD_AT(settings.limits.idleTimeoutWithId)),
        key(u"limits", u"session_lifetime", durationOrZero(1s, 52 * week, noLimit),
            DTLSD_AT(settings.limits.sessionLifetime)),

        madeOnce(key(u"log", u"target", choice(logTargetNames), DTLSD_AT(log.target))),
        key(u"log", u"level", choice(priorityNames), DTLSD_AT(log.level)),
        key(u"log", u"payload", choice(payloadFormatNames), DTLSD_AT(log.payload)),
        key(u"log", u"ciphertext", yesOrNo(), DTLSD_AT(settings.keepCiphertext)),
        madeOnce(key(u"log", u"queue", count, DTLSD_AT(log.queue))),
        key(u"log", u"statistics_interval", durationOrZero(1s, week, off),
            DTLSD_AT(log.statisticsInterval)),

        madeOnce(
            key(u"control", u"socket", absolutePath(socketPathSize), DTLSD_AT(control.socket))),
        key(u"control", u"metrics_file", absolutePath(filePathSize), DTLSD_AT(control.metricsFile)),

        key(u"psk", u"file", filePath(), DTLSD_AT(keys.file)),
    };
}

std::vector<ConfigKey<PskIdentity>> makeIdentityKeys()
{
    return {
        row<PskIdentity>(u"identity", u"allow_from", subnets(), DTLSD_AT(allowFrom)),
        row<PskIdentity>(u"identity", u"reply", optionally(replyTemplate()), DTLSD_AT(reply)),
        row<PskIdentity>(u"identity", u"forward", optionally(serviceAddress()), DTLSD_AT(forward)),
        row<PskIdentity>(u"identity", u"datagrams_per_second",
                         optionally(wholeNumberOrZero(manyEntries, QStringLiteral("no limit"))),
                         DTLSD_AT(datagramsPerSecond))};
}

#undef DTLSD_AT

} // namespace

const std::vector<ConfigKey<Config>> &configKeys()
{
    static const std::vector<ConfigKey<Config>> keys = makeConfigKeys();
    return keys;
}

const std::vector<ConfigKey<PskIdentity>> &identityKeys()
{
    static const std::vector<ConfigKey<PskIdentity>> keys = makeIdentityKeys();
    return keys;
}

QStringList sectionNames()
{
    QStringList names;
    for (const auto &key : configKeys()) {
        if (!names.contains(key.section))
            names += key.section;
    }
    return names;
}

QStringList keyNames(QStringView section)
{
    QStringList names;
    for (const auto &key : configKeys()) {
        if (key.section == section)
            names += key.name;
    }
    return names;
}

QString sectionOf(QStringView name)
{
    QString section;
    for (const auto &key : configKeys()) {
        if (key.name == name && !std::exchange(section, key.section).isEmpty())
            return {};
    }
    return section;
}

void reportUnknownKey(const IniPlace &place, const QStringList &names, bool maybeSecret,
                      Diagnostics &diagnostics)
{
    const QString owner = sectionOf(place.key);
    if (owner.isEmpty())
        diagnostics.unknownKey(place, names, maybeSecret);
    else
        diagnostics.error(
            place, QStringLiteral("belongs in [%1]; here %2").arg(owner, acceptedNames(names)));
}

} // namespace dtlsd
