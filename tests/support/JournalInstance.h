// SPDX-License-Identifier: Apache-2.0
//
// JournalInstance: a real systemd-journald of our own. It lives in a private mount namespace with
// its own /run, /var/log and /etc/systemd, keeps entries in memory without a rate limit, and
// neither reads nor disturbs the journal of the host. Needs root.
//
// The namespace is held by a process of its own, so that journald can be stopped, killed and
// started again under the processes that use it. Everything ends with the object, or with the
// test when that crashes.
#pragma once

#include "support/ChildProcess.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>

#include <functional>
#include <memory>
#include <optional>

namespace dtlsd::test {

class JournalInstance
{
public:
    struct Options
    {
        QByteArray settings = {};    ///< further lines of journald.conf(5)
        QByteArray journalSize = {}; ///< of a disk of its own for entries, as tmpfs(5) has it
        /// The sockets outlive a journald that is killed, as under systemd; the process has to
        /// enter() the namespace.
        bool holdsSockets = false;
    };

    JournalInstance();
    explicit JournalInstance(Options options);
    ~JournalInstance();
    JournalInstance(const JournalInstance &) = delete;
    JournalInstance &operator=(const JournalInstance &) = delete;

    /// Whether start() can work here; if not, @p why says what is missing.
    static bool isAvailable(QString *why);

    /// A folder on the disk where entries are kept, as seen in the namespace.
    static QString journalDirectory();

    /// true: journald takes entries. false: errorText() says why.
    [[nodiscard]] bool start();
    [[nodiscard]] QString errorText() const { return m_errorText; }

    /// Moves this process into the namespace, which it never leaves; before it makes threads, and
    /// before start(). false: errorText() says why.
    [[nodiscard]] bool enter();

    /// What runs @p command inside the namespace: by exec, so that its process id is the command's.
    /// Its working directory is /.
    [[nodiscard]] Command wrap(const Command &command) const;
    /// The same with the journal of launchNamespace(): where LogNamespace= puts a service.
    [[nodiscard]] Command wrapInNamespace(const QString &name, const Command &command) const;
    /// Of journald, while it runs.
    [[nodiscard]] qint64 processId() const { return m_journald->processId(); }
    /// A path in the namespace as seen from outside.
    [[nodiscard]] QString outsidePath(const QString &path) const;

    using Entries = QList<QJsonObject>;
    using Condition = std::function<bool(const Entries &)>;

    /// All entries for @p matches (`DTLSD_EVENT=started`, as journalctl(1) takes them), oldest
    /// first, as soon as they meet @p condition or, at the latest, at @p deadline.
    [[nodiscard]] Entries entries(const QStringList &matches, const Condition &condition,
                                  QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// As above, for at least @p count entries; 0 = what is there now.
    [[nodiscard]] Entries entries(const QStringList &matches, qsizetype count,
                                  QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// A field's exact bytes: journalctl writes those that are not UTF-8 as an array of numbers.
    static QByteArray bytes(const QJsonValue &field);

    /// SIGSTOP: its socket stays and fills.
    void pause();
    void resume();
    /// SIGKILL. What it has written can still be read; launch() starts it again.
    void kill();
    [[nodiscard]] bool launch();
    /// All that was kept.
    void forget();
    /// A second journald beside the first, as LogNamespace=@p name starts one for a service.
    [[nodiscard]] bool launchNamespace(const QString &name);

private:
    [[nodiscard]] bool holdNamespace();
    [[nodiscard]] bool holdSockets();
    [[nodiscard]] Command journaldCommand(const QString &logNamespace) const;
    /// Starts journald for @p logNamespace, or for all that have none; nothing when it fails.
    std::unique_ptr<ChildProcess> startJournald(const QString &logNamespace);
    /// Runs journalctl; nothing when it fails or takes too long.
    std::optional<QByteArray> journalctl(const QStringList &arguments, QDeadlineTimer deadline);

    const Options m_options;
    std::unique_ptr<ChildProcess> m_holder;
    QList<int> m_sockets;                     // held for journald
    std::unique_ptr<ChildProcess> m_journald; // ends before its namespace does
    std::unique_ptr<ChildProcess> m_namespaced;
    bool m_paused = false;
    QString m_errorText;
};

} // namespace dtlsd::test
