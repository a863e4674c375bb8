// SPDX-License-Identifier: Apache-2.0
#include "app/CommandLine.h"

#include "app/TlsBackendChoice.h"
#include "core/Version.h"
#include "log/SinkChoice.h"
#include "tls/TlsBackend.h"

#include <QCommandLineParser>

#include <unistd.h>

namespace dtlsd {

namespace {

constexpr auto helpFooter = R"(
Signals: SIGTERM and SIGINT stop cleanly, with close_notify to every session; SIGHUP
reloads the configuration, all of it or nothing.
Exit status: 0 stopped cleanly, or the configuration is valid; 64 wrong usage;
69 cannot listen, or DTLS is unavailable; 70 internal error; 75 to be started again,
by `dtlsctl restart`; 78 bad configuration.
)";

/// For $container, set by the images of packaging/container and, as systemd asks, most engines.
QString containerHint()
{
    return QStringLiteral("is not there; to configure a container, mount a directory with it, and "
                          "with the key file that it names, at /etc/dtlsd: podman run --volume "
                          "./dtlsd:/etc/dtlsd:ro; user %1 has to be able to read both")
        .arg(::geteuid());
}

/// Names the backend that `[tls] backend = auto` takes, and why if it is not ours.
QString versionText()
{
    const Result<> ours = TlsBackend::activate();
    return QStringLiteral("dtlsd %1\nTLS backend: %2%3\n")
        .arg(version, nameIn(backendNames, TlsBackend::inForce()),
             ours ? QString() : QStringLiteral(" (%1)").arg(ours.error().message));
}

CommandLine rejected(const QString &problem)
{
    return {.action = CommandLine::Action::Reject,
            .configFile = {},
            .logTarget = {},
            .message = QStringLiteral("dtlsd: %1; see dtlsd --help\n").arg(problem)};
}

} // namespace

CommandLine CommandLine::parse(const QStringList &arguments)
{
    const QCommandLineOption config(
        QStringLiteral("config"), QStringLiteral("Read FILE instead of %1.").arg(defaultConfigFile),
        QStringLiteral("FILE"));
    const QCommandLineOption check(QStringLiteral("check"),
                                   QStringLiteral("Report every error in the configuration; bind "
                                                  "nothing."));
    const QCommandLineOption show(QStringLiteral("show-config"),
                                  QStringLiteral("Print the effective configuration, keys as "
                                                 "fingerprints."));
    const QCommandLineOption target(QStringLiteral("log-target"),
                                    QStringLiteral("Log to auto, journal, json or text."),
                                    QStringLiteral("TARGET"));
    const QCommandLineOption versionOption(QStringLiteral("version"),
                                           QStringLiteral("Print the version, and the TLS "
                                                          "backend that auto takes."));
    const QCommandLineOption help(QStringLiteral("help"), QStringLiteral("Print this help."));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QStringLiteral("DTLS 1.2 server for devices with a pre-shared key; logs what they say."));
    parser.addOptions({config, check, show, target, versionOption, help});

    if (!parser.parse(arguments))
        return rejected(parser.errorText().chopped(parser.errorText().endsWith(u'.') ? 1 : 0));
    CommandLine result;
    if (parser.isSet(help)) {
        result.action = Action::Print;
        result.message = parser.helpText() + QLatin1String(helpFooter);
    } else if (parser.isSet(versionOption)) {
        result.action = Action::Print;
        result.message = versionText();
    } else if (!parser.positionalArguments().isEmpty()) {
        return rejected(QStringLiteral("unexpected argument %1; options only are accepted")
                            .arg(parser.positionalArguments().constFirst()));
    } else if (parser.isSet(check) && parser.isSet(show)) {
        return rejected(QStringLiteral("--check and --show-config exclude each other"));
    } else if (parser.isSet(check) || parser.isSet(show)) {
        result.action = parser.isSet(check) ? Action::Check : Action::ShowConfig;
    }
    if (parser.isSet(config) && parser.value(config).isEmpty())
        return rejected(QStringLiteral("--config is empty; the name of a file is accepted"));
    result.configFile = parser.value(config);
    if (parser.isSet(target)) {
        result.logTarget = valueIn(logTargetNames, parser.value(target));
        if (!result.logTarget)
            return rejected(QStringLiteral("--log-target %1 is unknown; auto, journal, json or "
                                           "text is accepted")
                                .arg(parser.value(target)));
    }
    return result;
}

ConfigResult CommandLine::loadConfig() const
{
    ConfigResult result = loadConfigOrDefault(configFile);
    const bool hasNoFile = result.config.file.isEmpty();
    if (hasNoFile && !result.errors.isEmpty() && qEnvironmentVariableIsSet("container"))
        result.errors.append({defaultConfigFile, 0, containerHint()});
    result.config.log.target = logTarget.value_or(result.config.log.target);
    if (action == Action::Check && result.config.tlsBackend) {
        if (const Result<> usable = useTlsBackend(result.config.tlsBackend); !usable)
            result.missing.append({result.config.file, 0, usable.error().message});
    }
    if (action != Action::Run) // the standard output of a check is not that of the service
        return result;
    const Result<> output = checkOutput(result.config.log.target, Surroundings::current());
    if (!output)
        result.errors.append({result.config.file, 0, output.error().message});
    return result;
}

} // namespace dtlsd
