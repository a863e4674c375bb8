// SPDX-License-Identifier: Apache-2.0
//
// ChildProcess: a QProcess that cannot outlive its test: the destructor kills it, or the kernel if
// the test itself dies.
// waitUntil(): waits for a condition while events are delivered.
#pragma once

#include "support/Patience.h"

#include <QDeadlineTimer>
#include <QProcess>
#include <QStringList>

#include <functional>

namespace dtlsd::test {

struct Command
{
    QString program;
    QStringList arguments;
};

/// false: @p condition did not hold before @p deadline.
bool waitUntil(const std::function<bool()> &condition, QDeadlineTimer deadline);

class ChildProcess : public QProcess
{
    Q_OBJECT

public:
    ChildProcess();
    ~ChildProcess() override;

    /// Calls @p inChild between fork and exec.
    void prepareChild(const std::function<void()> &inChild);
    /// false: it did not start; errorString() says why.
    bool run(const Command &command);
    [[nodiscard]] bool isRunning() const { return state() != NotRunning; }

    /// Sends SIGSTOP, SIGTERM and the like; does nothing if it does not run.
    void sendSignal(int signal) const;

    /// false: it was still running at @p deadline.
    bool waitForEnd(QDeadlineTimer deadline = QDeadlineTimer(patience));
};

} // namespace dtlsd::test
