// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/Contestant.h"

#include <QJsonDocument>

namespace dtlsd::bench {

namespace {

constexpr std::chrono::minutes longestRun{5};

} // namespace

Result<> Contestant::prepare(const test::Command &command, const QByteArray &input)
{
    if (!m_process.run(command))
        return Error{QStringLiteral("%1: %2").arg(command.program, m_process.errorString())};
    m_process.write(input);
    const auto ready = line();
    if (!ready)
        return ready.error();
    if (ready.value() != "ready\n")
        return Error{QStringLiteral("%1 is not ready").arg(command.program)};
    return success();
}

Result<QJsonObject> Contestant::go()
{
    m_process.write("go\n");
    const auto said = line();
    if (!said)
        return said.error();
    return QJsonDocument::fromJson(said.value()).object();
}

Result<QByteArray> Contestant::line()
{
    const auto hasSaid = [this] { return m_process.canReadLine() || !m_process.isRunning(); };
    test::waitUntil(hasSaid, QDeadlineTimer(longestRun));
    if (m_process.canReadLine())
        return m_process.readLine();
    return Error{QString::fromUtf8("it ended or took too long: " +
                                   m_process.readAllStandardError().trimmed())};
}

} // namespace dtlsd::bench
