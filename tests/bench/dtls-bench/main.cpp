// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Arguments.h"
#include "bench/dtls-bench/Measuring.h"
#include "bench/dtls-bench/Report.h"
#include "core/Console.h"

#include <QCoreApplication>
#include <QTextStream>

#include <cstdio>
#include <exception>

#include <sysexits.h>

using namespace dtlsd;
using namespace dtlsd::bench;

namespace {

constexpr int noSession = 2;

Result<QList<Finding>> run(const Arguments &arguments)
{
    if (!arguments.contestants.isEmpty())
        return compare(arguments.plan, arguments.contestants, arguments.rounds);
    const Target &target = arguments.target;
    if (const auto reached = reach(arguments.plan, target.server, arguments.plan.timeout); !reached)
        return reached.error();
    const auto figures = measure(arguments.plan, target);
    if (!figures)
        return figures.error();
    return QList<Finding>{{target.server.toString(), {figures.value()}}};
}

int complain(const QString &problem, int status)
{
    say(stderr, QStringLiteral("dtls-bench: %1\n").arg(problem));
    return status;
}

} // namespace

int main(int argc, char *argv[])
try {
    occupyStandardStreams();
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
    const QCoreApplication application(argc, argv);

    const auto parsed = Arguments::parse(QCoreApplication::arguments());
    if (const auto *stop = std::get_if<Arguments::Stop>(&parsed)) {
        say(stop->status == 0 ? stdout : stderr, stop->message);
        return stop->status;
    }
    const auto &arguments = std::get<Arguments>(parsed);
    const auto findings = run(arguments);
    if (!findings)
        return complain(findings.error().message, noSession);
    QTextStream output(stdout);
    if (arguments.json)
        output << toJson(arguments.plan, findings.value());
    else
        output << toTable(findings.value());
    return 0;
} catch (const std::exception &error) { // no memory for so many clients
    return complain(QString::fromUtf8(error.what()), EX_SOFTWARE);
}
