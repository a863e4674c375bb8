// SPDX-License-Identifier: Apache-2.0
#include "tools/dtls-send/Arguments.h"

#include "core/Quantity.h"
#include "core/Version.h"
#include "tools/device/DeviceKey.h"
#include "tools/device/ServerName.h"

#include <QCommandLineParser>

#include <sysexits.h>

namespace dtlsd {

namespace {

constexpr auto helpFooter = R"(
Without DATA, each line of standard input is sent as one datagram.
A key file holds lines identity:hexkey, as the server reads them. A key in the
environment is hex, or hex:..., base64:... or text:... as in dtlsd.ini.

Exit status: 0 everything sent and answered; 1 no reply; 2 the handshake failed;
64 wrong usage; 74 a reply cannot be printed; 78 the key cannot be read.
)";

using Stop = Arguments::Stop;

Stop wrongUsage(const QString &problem)
{
    return {QStringLiteral("dtls-send: %1; see dtls-send --help\n").arg(problem), EX_USAGE};
}

Stop noKey(const QString &problem)
{
    return {QStringLiteral("dtls-send: %1\n").arg(problem), EX_CONFIG};
}

struct Switches
{
    const QCommandLineOption identity{
        QStringLiteral("psk-identity"),
        QStringLiteral("Identity; not needed with a key file of one line."), QStringLiteral("ID")};
    const QCommandLineOption file{QStringLiteral("psk-file"),
                                  QStringLiteral("Take the key from FILE."),
                                  QStringLiteral("FILE")};
    const QCommandLineOption environment{
        QStringLiteral("psk-env"), QStringLiteral("Take the key from environment variable VAR."),
        QStringLiteral("VAR")};
    const QCommandLineOption ciphers{
        QStringLiteral("ciphers"),
        QStringLiteral("Offer strict, modern, iot, or an OpenSSL cipher string (default: iot)."),
        QStringLiteral("LIST"), QStringLiteral("iot")};
    const QCommandLineOption timeout{
        QStringLiteral("timeout"),
        QStringLiteral("How long to wait for the session, and then for each reply (default: 5s)."),
        QStringLiteral("DURATION"), QStringLiteral("5s")};
    const QCommandLineOption noReply{QStringLiteral("no-reply"),
                                     QStringLiteral("Do not wait for replies.")};
    const QCommandLineOption version{QStringLiteral("version"),
                                     QStringLiteral("Print the version.")};
    const QCommandLineOption help{QStringLiteral("help"), QStringLiteral("Print this help.")};

    void addTo(QCommandLineParser &parser) const
    {
        parser.setApplicationDescription(QStringLiteral(
            "Sends datagrams over DTLS 1.2 with a pre-shared key, and prints the replies."));
        parser.addOptions({identity, file, environment, ciphers, timeout, noReply, version, help});
        parser.addPositionalArgument(QStringLiteral("HOST:PORT"), QStringLiteral("The server."));
        parser.addPositionalArgument(QStringLiteral("DATA"), QStringLiteral("One datagram each."),
                                     QStringLiteral("[DATA...]"));
    }
};

/// Options from the switches; server and messages are not set yet.
std::variant<Conversation::Options, Stop> readSwitches(const QCommandLineParser &parser,
                                                       const Switches &switches)
{
    if (parser.isSet(switches.file) == parser.isSet(switches.environment))
        return wrongUsage(QStringLiteral("one of --psk-file and --psk-env is needed"));
    const auto ciphers = CipherPolicy::parse(parser.value(switches.ciphers));
    if (!ciphers)
        return wrongUsage(QStringLiteral("--ciphers %1").arg(ciphers.error().message));
    const auto timeout = parseDuration(parser.value(switches.timeout));
    if (!timeout || timeout->count() == 0)
        return wrongUsage(QStringLiteral("--timeout %1 is no duration; 500ms, 5s or 1min, say, is "
                                         "accepted")
                              .arg(parser.value(switches.timeout)));

    std::optional<QByteArray> identity;
    if (parser.isSet(switches.identity))
        identity = parser.value(switches.identity).toUtf8();
    if (parser.isSet(switches.environment) && !identity)
        return wrongUsage(QStringLiteral("--psk-env needs --psk-identity"));
    const auto key =
        parser.isSet(switches.file)
            ? DeviceKey::fromFile(parser.value(switches.file), identity)
            : DeviceKey::fromEnvironment(parser.value(switches.environment), *identity);
    if (!key)
        return noKey(key.error().message);

    Conversation::Options options;
    options.client.identity = key.value().identity;
    options.client.key = key.value().key;
    options.client.ciphers = ciphers.value();
    options.client.handshakeTimeout = *timeout;
    options.replyTimeout = *timeout;
    options.wantsReply = !parser.isSet(switches.noReply);
    return options;
}

} // namespace

std::variant<Conversation::Options, Arguments::Stop> Arguments::parse(const QStringList &arguments)
{
    const Switches switches;
    QCommandLineParser parser;
    switches.addTo(parser);
    if (!parser.parse(arguments))
        return wrongUsage(parser.errorText());
    if (parser.isSet(switches.help))
        return Stop{parser.helpText() + QLatin1String(helpFooter), EX_OK};
    if (parser.isSet(switches.version))
        return Stop{QStringLiteral("dtls-send %1\n").arg(version), EX_OK};

    QStringList positional = parser.positionalArguments();
    if (positional.isEmpty())
        return wrongUsage(QStringLiteral("HOST:PORT is missing"));
    auto options = readSwitches(parser, switches);
    if (std::holds_alternative<Stop>(options))
        return options;

    const QString host = positional.takeFirst();
    const auto server = resolveServer(host);
    if (!server)
        return wrongUsage(server.error().message);
    auto &conversation = std::get<Conversation::Options>(options);
    conversation.server = server.value();
    for (const QString &message : std::as_const(positional))
        conversation.messages += message.toUtf8();
    return options;
}

} // namespace dtlsd
