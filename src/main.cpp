// SPDX-License-Identifier: Apache-2.0
#include "app/CommandLine.h"
#include "app/Daemon.h"
#include "app/ProcessSetup.h"
#include "config/Config.h"
#include "core/Console.h"
#include "systemd/DescriptorStore.h"

#include <QCoreApplication>

#include <cstdio>
#include <exception>

#include <sysexits.h>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

int print(std::FILE *stream, const QString &text, int status)
{
    say(stream, text);
    return status;
}

int print(const QList<ConfigMessage> &messages, int status)
{
    for (const ConfigMessage &message : messages)
        print(stderr, message.toString() + u'\n', status);
    return status;
}

} // namespace

int main(int argc, char *argv[])
try {
    setUpProcess();
    const QCoreApplication application(argc, argv);

    const CommandLine commandLine = CommandLine::parse(QCoreApplication::arguments());
    if (commandLine.action == CommandLine::Action::Reject)
        return print(stderr, commandLine.message, EX_USAGE);
    if (commandLine.action == CommandLine::Action::Print)
        return print(stdout, commandLine.message, EX_OK);

    ConfigResult result = commandLine.loadConfig();
    if (!result.errors.isEmpty())
        return print(result.errors + result.missing, EX_CONFIG);
    if (commandLine.action == CommandLine::Action::ShowConfig)
        return print(result.missing,
                     print(stdout, QString::fromUtf8(showConfig(result.config)), EX_OK));
    if (commandLine.action == CommandLine::Action::Check && !result.missing.isEmpty())
        return print(result.warnings + result.missing, EX_UNAVAILABLE);
    if (commandLine.action == CommandLine::Action::Check)
        return print(result.warnings, print(stdout, u"The configuration is valid.\n"_s, EX_OK));

    const auto passed = passedDescriptors();
    if (!passed)
        return print(stderr, u"dtlsd: "_s + passed.error().message + u'\n', EX_CONFIG);
    const auto source = [&commandLine] { return commandLine.loadConfig(); };
    return Daemon(std::move(result), source, passed.value()).run();
} catch (const std::exception &error) {
    return print(stderr, u"dtlsd: "_s + QLatin1String(error.what()) + u'\n', EX_SOFTWARE);
}
