// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/ServerProcess.h"

#include "bench/dtls-bench/Measuring.h"

#include <QUdpSocket>

#include <csignal>

#include <sys/prctl.h>

namespace dtlsd::bench {

namespace {

constexpr std::chrono::seconds startPatience{15};
constexpr std::chrono::milliseconds attempt{200};
constexpr int stopPatience = 10'000; // milliseconds, for QProcess

std::uint16_t freePort()
{
    QUdpSocket socket;
    return socket.bind(QHostAddress::LocalHost, 0) ? socket.localPort() : std::uint16_t{0};
}

} // namespace

ServerProcess::ServerProcess()
{
    m_process.setStandardOutputFile(QProcess::nullDevice());
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process.setChildProcessModifier([] { prctl(PR_SET_PDEATHSIG, SIGKILL); });
}

ServerProcess::~ServerProcess()
{
    m_process.terminate();
    if (m_process.state() != QProcess::NotRunning && !m_process.waitForFinished(stopPatience)) {
        m_process.kill();
        m_process.waitForFinished(stopPatience);
    }
}

Result<Target> ServerProcess::start(const QString &command, const Plan &plan)
{
    const SocketAddress server(QHostAddress(QHostAddress::LocalHost), freePort());
    QStringList words = QProcess::splitCommand(command);
    words.replaceInStrings(QStringLiteral("{port}"), QString::number(server.port()));
    if (words.isEmpty())
        return Error{QStringLiteral("the command of a server is empty")};
    m_process.start(words.takeFirst(), words);
    if (!m_process.waitForStarted())
        return Error{QStringLiteral("%1: %2").arg(command, m_process.errorString())};

    const auto deadline = LoadFleet::Clock::now() + startPatience;
    while (LoadFleet::Clock::now() < deadline) {
        if (reach(plan, server, attempt))
            return Target{server, static_cast<pid_t>(m_process.processId())};
        if (m_process.waitForFinished(1))
            return Error{QStringLiteral("%1 ended with status %2 before a session opened")
                             .arg(command)
                             .arg(m_process.exitCode())};
    }
    return Error{
        QStringLiteral("%1 opened no session within %2 s").arg(command).arg(startPatience.count())};
}

} // namespace dtlsd::bench
