// SPDX-License-Identifier: Apache-2.0
#include "core/Console.h"
#include "tools/dtlsctl/Arguments.h"
#include "tools/dtlsctl/ControlCommand.h"
#include "tools/dtlsctl/KeyCommands.h"

#include <QCoreApplication>

#include <cstdio>
#include <exception>

using namespace dtlsd;

namespace {

std::optional<Failure> run(const Arguments &arguments)
{
    switch (arguments.command) {
    case Arguments::Command::KeyNew:
        return printNewKey(arguments.name);
    case Arguments::Command::KeyImport:
        return printImportedKeys(arguments.format, arguments.name);
    default:
        return ControlCommand(arguments).run();
    }
}

int report(const Failure &failure)
{
    if (!failure.message.isEmpty())
        say(stderr, QStringLiteral("dtlsctl: %1\n").arg(failure.message));
    return failure.status;
}

} // namespace

int main(int argc, char *argv[])
try {
    occupyStandardStreams();
    qputenv("LC_ALL", "C.UTF-8");                     // Qt complains about a locale without UTF-8
    const QList<QByteArray> words(argv, argv + argc); // as bytes: Qt decodes them
    const QCoreApplication application(argc, argv);

    const auto arguments = Arguments::parse(words);
    if (const auto *stop = std::get_if<Arguments::Stop>(&arguments)) {
        say(stop->status == EX_OK ? stdout : stderr, stop->message);
        return stop->status;
    }
    const auto failure = run(std::get<Arguments>(arguments));
    return failure ? report(*failure) : EX_OK;
} catch (const std::exception &error) {
    return report({QString::fromUtf8(error.what())});
}
