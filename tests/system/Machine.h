// SPDX-License-Identifier: Apache-2.0
//
// Machine: a Debian with a systemd of its own, booted in a container, for one test. It writes to
// memory only and has no network but its loopback. When the Machine ends, or the test is killed,
// nothing of it is left (see the script `machine`).
#pragma once

#include "support/ChildProcess.h"

#include <QByteArray>
#include <QString>

#include <sys/types.h>

namespace dtlsd::test {

class Machine
{
public:
    /// How a command ended, and all that it said.
    struct Outcome
    {
        int status = -1; ///< -1: it did not end by itself
        QByteArray said;

        [[nodiscard]] bool isGood() const { return status == 0; }
        [[nodiscard]] QByteArray description() const;
    };

    Machine();
    ~Machine();
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    /// Makes the root file system, if there is none yet. false: a machine cannot be had here;
    /// errorText() says why.
    [[nodiscard]] bool prepare();
    /// Returns when the machine is up, and the calling thread is in its network: sockets made from
    /// now on are the machine's. false: errorText() says why.
    [[nodiscard]] bool boot();
    [[nodiscard]] bool reboot();
    [[nodiscard]] QString errorText() const { return m_errorText; }

    /// Has a shell run @p script, up to the first command that fails. Events are delivered.
    Outcome run(const QString &script, QDeadlineTimer deadline = QDeadlineTimer(patience)) const;
    /// What runs @p command there.
    [[nodiscard]] Command wrap(const Command &command) const;

    /// Where the machine's @p path lies for us.
    [[nodiscard]] QString outsidePath(const QString &path) const;
    /// A new content for a file, which keeps its owner and its mode if it is there. false: it
    /// cannot be written.
    [[nodiscard]] bool write(const QString &path, const QByteArray &content) const;
    /// The id by which we know the process that the machine knows by @p inside; 0: there is none.
    [[nodiscard]] pid_t outsideId(pid_t inside) const;

private:
    [[nodiscard]] bool waitForSystemd();
    [[nodiscard]] bool enterNetwork();

    ChildProcess m_container;
    QString m_root;
    pid_t m_systemd = 0; // the machine's first process, as we know it
    QString m_errorText;
};

} // namespace dtlsd::test

/// What was run has ended well; if not, the test fails with what it said.
#define VERIFY_GOOD(run)                                                                           \
    do {                                                                                           \
        const dtlsd::test::Machine::Outcome &outcomeOfRun = (run);                                 \
        QVERIFY2(outcomeOfRun.isGood(), outcomeOfRun.description());                               \
    } while (false)
