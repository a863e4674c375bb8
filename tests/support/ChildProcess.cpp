// SPDX-License-Identifier: Apache-2.0
#include "support/ChildProcess.h"

#include <QTest>

#include <csignal>
#include <limits>

#include <sys/prctl.h>

namespace dtlsd::test {

bool waitUntil(const std::function<bool()> &condition, QDeadlineTimer deadline)
{
    const qint64 left =
        deadline.isForever() ? std::numeric_limits<int>::max() : deadline.remainingTime();
    return QTest::qWaitFor(condition, static_cast<int>(left));
}

ChildProcess::ChildProcess()
{
    // Runs between fork and exec. Survives exec, also those of unshare(1) and nsenter(1).
    setChildProcessModifier([] { prctl(PR_SET_PDEATHSIG, SIGKILL); });
}

ChildProcess::~ChildProcess()
{
    kill();
    waitForFinished();
}

bool ChildProcess::run(const Command &command)
{
    start(command.program, command.arguments);
    return waitForStarted();
}

void ChildProcess::sendSignal(int signal) const
{
    if (processId() > 0)
        ::kill(static_cast<pid_t>(processId()), signal);
}

bool ChildProcess::waitForEnd(QDeadlineTimer deadline)
{
    return waitUntil([this] { return !isRunning(); }, deadline);
}

} // namespace dtlsd::test
