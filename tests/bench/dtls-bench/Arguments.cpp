// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Arguments.h"

#include "bench/dtls-bench/Modes.h"
#include "bench/load/CpuClock.h"
#include "bench/load/LoadSession.h"
#include "bench/load/Message.h"
#include "core/Quantity.h"
#include "core/Version.h"
#include "tools/device/ServerName.h"

#include <QCommandLineParser>

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <sysexits.h>

namespace dtlsd::bench {

namespace {

constexpr auto helpFooter = R"(
Modes:
  echo   messages and their echoes: latency, throughput, loss
  churn  handshake, one message, close, again and again
  ramp   opens sessions and leaves them idle: handshakes, memory, idle CPU
  blast  sends as fast as it goes, whatever comes back
  storm  latency of established clients while others reconnect, and before

Exit status: 0 measured; 2 no session, or a server that does not start;
64 wrong usage; 70 no memory; 78 the key cannot be read.
)";

using Stop = Arguments::Stop;

constexpr std::int64_t mostClients = 20'000;
constexpr std::int64_t largestPayload = 1200; // fits into a datagram of every path

Stop wrongUsage(const QString &problem)
{
    return {QStringLiteral("dtls-bench: %1; see dtls-bench --help\n").arg(problem), EX_USAGE};
}

/// A number with its bounds.
struct NumberSwitch
{
    const char *name;
    const char *what;
    std::size_t Plan::*member;
    std::int64_t least;
    std::int64_t most;
};

constexpr NumberSwitch numbers[] = {
    {"clients", "Sessions (default: 10; ramp 1000, storm 200).", &Plan::clients, 1, mostClients},
    {"payload", "Bytes of a message (default: 64).", &Plan::payload, numberSize, largestPayload},
    {"window", "Messages of a client under way in echo (default: 1).", &Plan::window, 1, 1024},
    {"under-way", "The same of all clients together (default: 256).", &Plan::underWay, 1, 100'000},
    {"at-a-time", "Handshakes under way while sessions open (default: 64).", &Plan::atATime, 1,
     mostClients},
    {"storm", "Sessions that reconnect in storm (default: 5000).", &Plan::storm, 1, mostClients},
    {"rate", "Messages per second in storm, of all clients (default: 2000).", &Plan::rate, 1,
     1'000'000},
};

struct DurationSwitch
{
    const char *name;
    const char *what;
    std::chrono::milliseconds Plan::*member;
    bool mayBeZero;
};

constexpr DurationSwitch durations[] = {
    {"duration", "How long to measure (default: 5s).", &Plan::duration, false},
    {"warm-up", "How long to go on before that (default: 1s).", &Plan::warmUp, true},
    {"timeout", "How long to wait for a session (default: 5s).", &Plan::timeout, false},
};

struct TextSwitch
{
    const char *name;
    const char *what;
    const char *value;
};

constexpr TextSwitch texts[] = {
    {"psk-identity", "Who to be; not needed with a key file of one line.", "ID"},
    {"psk-file", "Take the key from FILE.", "FILE"},
    {"psk-env", "Take the key from environment variable VAR.", "VAR"},
    {"ciphers", "Offer an OpenSSL cipher string (default: PSK-AES128-GCM-SHA256).", "LIST"},
    {"pid", "Read processor time and memory of this process, the server.", "PID"},
    {"server", "Start the server, with {port} for a free port of 127.0.0.1.", "COMMAND"},
    {"compare", "Start several servers in turn; to be given for each.", "NAME=COMMAND"},
    {"rounds", "How often to measure servers that are started (default: 1; compare 5).", "NUMBER"},
    {"json", "Print JSON.", nullptr},
    {"version", "Print the version.", nullptr},
    {"help", "Print this help.", nullptr},
};

QString latin(const char *text)
{
    return QString::fromLatin1(text);
}

void addSwitches(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        QStringLiteral("Measures a DTLS 1.2 server with pre-shared keys by the load of many "
                       "clients."));
    for (const NumberSwitch &each : numbers)
        parser.addOption({latin(each.name), latin(each.what), QStringLiteral("NUMBER")});
    for (const DurationSwitch &each : durations)
        parser.addOption({latin(each.name), latin(each.what), QStringLiteral("DURATION")});
    for (const TextSwitch &each : texts)
        parser.addOption({latin(each.name), latin(each.what), latin(each.value)});
    parser.addPositionalArgument(QStringLiteral("MODE"),
                                 QStringLiteral("echo, churn, ramp, blast or storm."));
    parser.addPositionalArgument(QStringLiteral("HOST:PORT"),
                                 QStringLiteral("The server, unless it is started."),
                                 QStringLiteral("[HOST:PORT]"));
}

std::optional<Stop> readNumbers(const QCommandLineParser &parser, Plan &plan)
{
    for (const NumberSwitch &each : numbers) {
        const QString name = latin(each.name);
        if (!parser.isSet(name))
            continue;
        const auto number = parseWholeNumber(parser.value(name));
        if (!number || *number < each.least || *number > each.most)
            return wrongUsage(QStringLiteral("--%1 %2 is not accepted; %3 to %4 is")
                                  .arg(name, parser.value(name))
                                  .arg(each.least)
                                  .arg(each.most));
        plan.*each.member = static_cast<std::size_t>(*number);
    }
    return std::nullopt;
}

std::optional<Stop> readDurations(const QCommandLineParser &parser, Plan &plan)
{
    for (const DurationSwitch &each : durations) {
        const QString name = latin(each.name);
        if (!parser.isSet(name))
            continue;
        const auto duration = parseDuration(parser.value(name));
        if (!duration || (duration->count() == 0 && !each.mayBeZero))
            return wrongUsage(QStringLiteral("--%1 %2 is no duration; 500ms, 5s or 1min, say, is "
                                             "accepted")
                                  .arg(name, parser.value(name)));
        plan.*each.member = *duration;
    }
    return std::nullopt;
}

std::optional<Stop> readKey(const QCommandLineParser &parser, Plan &plan)
{
    const QString file = parser.value(QStringLiteral("psk-file"));
    const QString variable = parser.value(QStringLiteral("psk-env"));
    std::optional<QByteArray> identity;
    if (parser.isSet(QStringLiteral("psk-identity")))
        identity = parser.value(QStringLiteral("psk-identity")).toUtf8();
    if (file.isEmpty() == variable.isEmpty())
        return wrongUsage(QStringLiteral("one of --psk-file and --psk-env is needed"));
    if (file.isEmpty() && !identity)
        return wrongUsage(QStringLiteral("--psk-env needs --psk-identity"));
    const auto key = file.isEmpty() ? DeviceKey::fromEnvironment(variable, *identity)
                                    : DeviceKey::fromFile(file, identity);
    if (!key)
        return Stop{QStringLiteral("dtls-bench: %1\n").arg(key.error().message), EX_CONFIG};
    plan.credentials = key.value();
    return std::nullopt;
}

std::optional<Stop> readCiphers(const QCommandLineParser &parser, Plan &plan)
{
    const QString ciphers = parser.value(QStringLiteral("ciphers"));
    if (ciphers.isEmpty())
        return std::nullopt;
    plan.ciphers = ciphers.toUtf8();
    if (LoadSession::makeContext(plan.ciphers))
        return std::nullopt;
    return wrongUsage(QStringLiteral("--ciphers %1 names no suite that OpenSSL has; a list as "
                                     "`openssl ciphers -v` takes it is accepted")
                          .arg(ciphers));
}

/// Those that are to be started.
std::optional<Stop> readContestants(const QCommandLineParser &parser, Arguments &arguments)
{
    const QStringList compared = parser.values(QStringLiteral("compare"));
    const QString server = parser.value(QStringLiteral("server"));
    if (!compared.isEmpty() && !server.isEmpty())
        return wrongUsage(QStringLiteral("only one of --server and --compare is accepted"));
    if (!server.isEmpty())
        arguments.contestants.append({QStringLiteral("server"), server});
    for (const QString &each : compared) {
        const qsizetype sign = each.indexOf(u'=');
        if (sign <= 0 || sign + 1 == each.size())
            return wrongUsage(QStringLiteral("--compare %1 is not NAME=COMMAND").arg(each));
        arguments.contestants.append({each.first(sign), each.sliced(sign + 1)});
    }
    for (const Contestant &each : std::as_const(arguments.contestants)) {
        if (!each.command.contains(QLatin1StringView("{port}")))
            return wrongUsage(
                QStringLiteral("the command %1 does not say where {port} goes").arg(each.command));
    }
    const QString rounds = parser.value(QStringLiteral("rounds"));
    const auto number = rounds.isEmpty() ? std::optional<std::int64_t>(compared.isEmpty() ? 1 : 5)
                                         : parseWholeNumber(rounds);
    if (!number || *number < 1 || *number > 100)
        return wrongUsage(QStringLiteral("--rounds %1 is not accepted; 1 to 100 is").arg(rounds));
    arguments.rounds = static_cast<int>(*number);
    return std::nullopt;
}

std::optional<Stop> readProcess(const QCommandLineParser &parser, Target &target)
{
    const QString text = parser.value(QStringLiteral("pid"));
    if (text.isEmpty())
        return std::nullopt;
    const auto number = parseWholeNumber(text);
    if (!number || *number < 1 || *number > std::numeric_limits<pid_t>::max() ||
        !CpuClock::isThere(static_cast<pid_t>(*number)))
        return wrongUsage(QStringLiteral("--pid %1 is no process that runs").arg(text));
    target.processId = static_cast<pid_t>(*number);
    return std::nullopt;
}

std::optional<Stop> readServer(const QCommandLineParser &parser, const QStringList &positional,
                               Arguments &arguments)
{
    if (!arguments.contestants.isEmpty()) {
        if (!positional.isEmpty() || parser.isSet(QStringLiteral("pid")))
            return wrongUsage(QStringLiteral("a server that is started has neither HOST:PORT nor "
                                             "--pid"));
        return std::nullopt;
    }
    if (positional.size() != 1)
        return wrongUsage(positional.isEmpty() ? QStringLiteral("HOST:PORT is missing")
                                               : QStringLiteral("there are too many arguments"));
    if (parser.isSet(QStringLiteral("rounds")))
        return wrongUsage(QStringLiteral("--rounds needs --server or --compare"));
    const auto server = resolveServer(positional.constFirst());
    if (!server)
        return wrongUsage(server.error().message);
    arguments.target.server = server.value();
    return readProcess(parser, arguments.target);
}

} // namespace

std::variant<Arguments, Arguments::Stop> Arguments::parse(const QStringList &words)
{
    QCommandLineParser parser;
    addSwitches(parser);
    if (!parser.parse(words))
        return wrongUsage(parser.errorText());
    if (parser.isSet(QStringLiteral("help")))
        return Stop{parser.helpText() + QLatin1String(helpFooter), EX_OK};
    if (parser.isSet(QStringLiteral("version")))
        return Stop{QStringLiteral("dtls-bench %1\n").arg(version), EX_OK};

    QStringList positional = parser.positionalArguments();
    if (positional.isEmpty())
        return wrongUsage(QStringLiteral("MODE is missing; echo, churn, ramp, blast or storm is "
                                         "accepted"));
    const QString name = positional.takeFirst();
    const auto mode = parseMode(name);
    if (!mode)
        return wrongUsage(QStringLiteral("%1 is no mode; echo, churn, ramp, blast or storm is "
                                         "accepted")
                              .arg(name));
    Arguments arguments;
    arguments.json = parser.isSet(QStringLiteral("json"));
    Plan &plan = arguments.plan;
    plan.mode = *mode;
    plan.clients = usualClients(*mode);
    if (auto stop = readNumbers(parser, plan))
        return *stop;
    if (auto stop = readDurations(parser, plan))
        return *stop;
    if (auto stop = readCiphers(parser, plan))
        return *stop;
    if (auto stop = readContestants(parser, arguments))
        return *stop;
    if (auto stop = readServer(parser, positional, arguments))
        return *stop;
    if (auto stop = readKey(parser, plan))
        return *stop;
    return arguments;
}

} // namespace dtlsd::bench
