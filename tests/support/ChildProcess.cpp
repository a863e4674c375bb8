// SPDX-License-Identifier: Apache-2.0
#include "support/ChildProcess.h"

#include <QCoreApplication>
#include <QThread>

#include <csignal>

#include <sys/prctl.h>

namespace dtlsd::test {

bool waitUntil(const std::function<bool()> &condition, QDeadlineTimer deadline)
{
    // Events are delivered almost as they come; QTest::qWaitFor() sleeps for 10 ms. A timer of ours
    // would be one more than a test counts.
    while (!condition()) {
        if (deadline.hasExpired())
            return false;
        for (const QDeadlineTimer next(10); !next.hasExpired(); QThread::msleep(1))
            QCoreApplication::processEvents();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    return true;
}

ChildProcess::ChildProcess()
{
    // Runs between fork and exec. Survives exec, also those of unshare(1) and nsenter(1).
    setChildProcessModifier([] { prctl(PR_SET_PDEATHSIG, SIGKILL); });
}

void ChildProcess::prepareChild(const std::function<void()> &inChild)
{
    setChildProcessModifier([inChild] {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        inChild();
    });
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
