// SPDX-License-Identifier: Apache-2.0
//
// DaemonProcess: runs the built dtlsd as an operator runs it, with a configuration in a directory
// of its own. Its log is JSON lines on standard output, or the journal of a JournalInstance; events
// read the same from either.
#pragma once

#include "core/SocketAddress.h"
#include "support/ChildProcess.h"
#include "support/EventLines.h"
#include "support/PassedDescriptor.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QTemporaryDir>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace dtlsd::test {

class JournalInstance;

class DaemonProcess
{
public:
    /// @p config is the text of the INI file; @p journal must outlive the daemon.
    explicit DaemonProcess(const QByteArray &config, JournalInstance *journal = nullptr);

    /// The built one, unless the environment variable DTLSD_BINARY names another, such as an
    /// installed one.
    [[nodiscard]] static QString program();

    /// The directory of the configuration, where relative paths of key files begin.
    [[nodiscard]] QString directory() const { return m_directory.path(); }
    [[nodiscard]] QString configFile() const;
    /// Its control socket, unless the configuration says otherwise.
    [[nodiscard]] QString controlSocket() const;
    /// Writes a file of mode 0600 there.
    void write(const QString &name, const QByteArray &content) const;
    void setConfig(const QByteArray &config) const;

    /// Beyond --config and --log-target; before launch().
    void addArguments(const QStringList &arguments) { m_arguments += arguments; }
    /// @p runner runs the program, given as its last arguments; before launch().
    void runBy(const Command &runner) { m_runner = runner; }
    void setEnvironment(const QString &name, const QString &value);
    /// What each process gets from now on as from systemd (sd_listen_fds_with_names(3)); the
    /// caller's, and open until then.
    void pass(const std::vector<PassedDescriptor> &descriptors);

    /// Starts it, or once it has ended the next process, and returns at once.
    bool launch();
    /// launch(), and waits for `started`. false: errorText() has the daemon's messages.
    [[nodiscard]] bool start(QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// The addresses it listens on, from `started`.
    [[nodiscard]] QList<SocketAddress> addresses();
    [[nodiscard]] QList<std::uint16_t> ports();

    using Events = QList<QJsonObject>;
    using Predicate = std::function<bool(const QJsonObject &)>;

    /// All events of that name so far, of all processes, oldest first, as JSON lines have them:
    /// `peer_port`. In the journal a number is a string; number() reads both.
    [[nodiscard]] Events events(const QString &name);
    /// The first event of that name, now or later, for which @p predicate holds.
    [[nodiscard]] std::optional<QJsonObject>
    waitForEvent(const QString &name, const Predicate &predicate = {},
                 QDeadlineTimer deadline = QDeadlineTimer(patience));
    static qint64 number(const QJsonValue &field);

    /// Lines on standard output that are no JSON objects.
    [[nodiscard]] QList<QByteArray> strayLines();
    /// All of standard error so far.
    [[nodiscard]] QString errorText();

    /// Sends SIGTERM; returns the exit status. nullopt: it crashed, or still ran at @p deadline.
    [[nodiscard]] std::optional<int> stop(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Waits until it ends by itself; returns as stop() does.
    [[nodiscard]] std::optional<int>
    waitForExit(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// For signals (sendSignal(), kill()) and processId().
    ChildProcess &process() { return m_process; }

private:
    void readOutput();
    [[nodiscard]] Command withPassed(const Command &command) const;

    QTemporaryDir m_directory;
    JournalInstance *m_journal;
    QStringList m_arguments;
    std::optional<Command> m_runner;
    bool m_passes = false;
    ChildProcess m_process;
    qint64 m_processId = 0; // kept for the journal after the end
    EventLines m_output;
    QByteArray m_errors;
};

} // namespace dtlsd::test
