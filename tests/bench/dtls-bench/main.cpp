// SPDX-License-Identifier: Apache-2.0
//
// dtls-bench: runs many clients against a server on this machine; prints figures as a JSON object.
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/CpuClock.h"
#include "core/Console.h"
#include "core/Quantity.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QJsonDocument>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <sys/resource.h>
#include <sysexits.h>

using namespace dtlsd;
using namespace dtlsd::bench;

namespace {

constexpr int noSession = 2;
constexpr std::int64_t mostClients = 20'000;
constexpr std::int64_t mostTalking = 100'000; // the memory of their SSLs
constexpr std::int64_t mostHeld = 2'000'000;
constexpr std::int64_t mostUnderWay = 1024;
constexpr std::int64_t largestPort = 65'535;
constexpr std::int64_t largestProcessId = 1 << 22; // Linux' own limit

struct Mode
{
    QLatin1StringView name;
    Result<QJsonObject> (*measure)(const Plan &plan) = nullptr;
    std::int64_t mostClients = ::mostClients;
    bool isPlain = false; ///< without DTLS
};

constexpr Mode modes[] = {{QLatin1StringView("echo"), &measureEcho, mostTalking},
                          {QLatin1StringView("churn"), &measureChurn},
                          {QLatin1StringView("ramp"), &measureRamp},
                          {QLatin1StringView("storm"), &measureStorm},
                          {QLatin1StringView("hold"), &measureHold, mostHeld},
                          {QLatin1StringView("plain"), &measurePlain, mostTalking, true}};

[[noreturn]] void end(int status, const QString &problem)
{
    say(stderr, QStringLiteral("dtls-bench: %1\n").arg(problem));
    std::exit(status);
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(QStringLiteral(
        "Measures a DTLS 1.2 server with pre-shared keys on 127.0.0.1, or in plain a UDP echo, by "
        "the load of many clients. What the modes and the figures are: tests/bench/README.md."));
    const auto add = [&parser](const char *name, const char *what, const char *value,
                               const char *usual = "") {
        parser.addOption({QString::fromLatin1(name), QString::fromLatin1(what),
                          QString::fromLatin1(value), QString::fromLatin1(usual)});
    };
    add("psk-file", "The key of all clients; lines identity:hexkey.", "FILE");
    add("psk-identity", "Their identity; not needed with a file of one line.", "ID");
    add("port", "The server's, on 127.0.0.1.", "PORT");
    add("pid", "The server's process.", "PID");
    add("service-pid", "The process of a service that the server hands messages to.", "PID");
    add("clients", "Sessions (10).", "NUMBER", "10");
    add("window", "Messages of a client without a reply in echo (1).", "NUMBER", "1");
    add("storm", "Sessions that reconnect in storm (5000).", "NUMBER", "5000");
    add("echo-clients", "Clients in hold that also echo (0).", "NUMBER", "0");
    parser.addOption({QStringLiteral("answered"),
                      QStringLiteral("Each session in hold says a message and gets its reply.")});
    add("duration", "How long to measure (5s).", "DURATION", "5s");
    add("warm-up", "How long to go on before that (1s).", "DURATION", "1s");
    add("timeout", "How long to wait for a session (5s).", "DURATION", "5s");
    parser.addPositionalArgument(QStringLiteral("MODE"),
                                 QStringLiteral("echo, churn, ramp, storm, hold or plain."));
    parser.addHelpOption();
}

/// From @p least to @p most.
std::size_t number(const QCommandLineParser &parser, const QString &name, std::int64_t most,
                   std::int64_t least = 1)
{
    const auto value = parseWholeNumber(parser.value(name));
    if (!value || *value < least || *value > most)
        end(EX_USAGE, QStringLiteral("--%1 %2 is not accepted; %3 to %4 is")
                          .arg(name, parser.value(name))
                          .arg(least)
                          .arg(most));
    return static_cast<std::size_t>(*value);
}

std::chrono::milliseconds duration(const QCommandLineParser &parser, const QString &name)
{
    const auto value = parseDuration(parser.value(name));
    if (!value || value->count() == 0)
        end(EX_USAGE, QStringLiteral("--%1 %2 is no duration; 500ms, 5s or 1min, say, is accepted")
                          .arg(name, parser.value(name)));
    return *value;
}

DeviceKey key(const QCommandLineParser &parser)
{
    const QString identity = QStringLiteral("psk-identity");
    auto key = DeviceKey::fromFile(
        parser.value(QStringLiteral("psk-file")),
        parser.isSet(identity) ? std::optional(parser.value(identity).toUtf8()) : std::nullopt);
    if (!key)
        end(EX_USAGE, QStringLiteral("--psk-file: %1").arg(key.error().message));
    return std::move(key).value();
}

pid_t process(const QCommandLineParser &parser, const QString &name)
{
    const auto id = static_cast<pid_t>(number(parser, name, largestProcessId));
    if (!CpuClock::isThere(id))
        end(EX_USAGE, QStringLiteral("--%1 %2 is no process that runs").arg(name).arg(id));
    return id;
}

Plan makePlan(const QCommandLineParser &parser, const Mode &mode)
{
    Plan plan;
    plan.port = static_cast<quint16>(number(parser, QStringLiteral("port"), largestPort));
    plan.processId = process(parser, QStringLiteral("pid"));
    if (const QString service = QStringLiteral("service-pid"); parser.isSet(service))
        plan.serviceId = process(parser, service);
    if (!mode.isPlain)
        plan.credentials = key(parser);
    plan.clients = number(parser, QStringLiteral("clients"), mode.mostClients);
    plan.window = number(parser, QStringLiteral("window"), mostUnderWay);
    plan.storm = number(parser, QStringLiteral("storm"), mostClients);
    plan.echoClients = number(parser, QStringLiteral("echo-clients"), mostClients, 0);
    plan.areAnswered = parser.isSet(QStringLiteral("answered"));
    plan.duration = duration(parser, QStringLiteral("duration"));
    plan.warmUp = duration(parser, QStringLiteral("warm-up"));
    plan.timeout = duration(parser, QStringLiteral("timeout"));
    return plan;
}

/// As many sockets as the system grants: the soft limit is often 1024.
void allowDescriptors()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Result<QJsonObject> measure(const Mode &mode, const Plan &plan)
{
    if (mode.isPlain)
        return mode.measure(plan);
    const auto reached = reach(plan);
    return reached ? mode.measure(plan) : reached.error();
}

} // namespace

int main(int argc, char *argv[])
{
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
    const QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(application);
    const QStringList positional = parser.positionalArguments();
    const auto *mode = std::find_if(std::begin(modes), std::end(modes), [&](const Mode &each) {
        return positional.size() == 1 && positional[0] == each.name;
    });
    if (mode == std::end(modes))
        end(EX_USAGE,
            QStringLiteral("echo, churn, ramp, storm, hold or plain is accepted as MODE"));
    allowDescriptors();
    const auto figures = measure(*mode, makePlan(parser, *mode));
    if (!figures)
        end(noSession, figures.error().message);
    say(stdout, QString::fromUtf8(QJsonDocument(figures.value()).toJson()));
    return EX_OK;
}
