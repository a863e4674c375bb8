// SPDX-License-Identifier: Apache-2.0
//
// JournalInstance: a real systemd-journald of our own. It lives in a private mount namespace with
// its own /run, /var/log and /etc/systemd, keeps entries in memory without a rate limit, and
// neither reads nor disturbs the journal of the host. Needs root.
//
// A separate process holds the namespace, so that journald can be stopped, killed and started again
// while other processes use it. Everything ends with the object, or with the test if that crashes.
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
        QByteArray journalSize = {}; ///< size= of a tmpfs(5) for the entries
        /// The sockets outlive a killed journald, as under systemd; the test process has to enter()
        /// the namespace.
        bool holdsSockets = false;
    };

    JournalInstance();
    explicit JournalInstance(Options options);
    ~JournalInstance();
    JournalInstance(const JournalInstance &) = delete;
    JournalInstance &operator=(const JournalInstance &) = delete;

    /// Whether start() can work here; if not, @p why says what is missing.
    static bool isAvailable(QString *why);

    /// A folder on the file system of the entries, as seen in the namespace.
    static QString journalDirectory();

    /// true: journald takes entries. false: errorText() says why.
    [[nodiscard]] bool start();
    [[nodiscard]] QString errorText() const { return m_errorText; }

    /// Moves this process into the namespace for good; call it before any thread starts, and before
    /// start(). false: errorText() says why.
    [[nodiscard]] bool enter();

    /// A command that runs @p command inside the namespace, by exec, so that its process id is the
    /// command's. The working directory is /.
    [[nodiscard]] Command wrap(const Command &command) const;
    /// Like wrap(), with the journal of launchNamespace(), as LogNamespace= does.
    [[nodiscard]] Command wrapInNamespace(const QString &name, const Command &command) const;
    /// The process id of journald, while it runs.
    [[nodiscard]] qint64 processId() const { return m_journald->processId(); }
    /// A path in the namespace as seen from outside.
    [[nodiscard]] QString outsidePath(const QString &path) const;

    using Entries = QList<QJsonObject>;
    using Condition = std::function<bool(const Entries &)>;

    /// All entries for @p matches (`DTLSD_EVENT=started`, as journalctl(1) takes them), oldest
    /// first, as soon as they meet @p condition or, at the latest, at @p deadline.
    [[nodiscard]] Entries entries(const QStringList &matches, const Condition &condition,
                                  QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// As above, for at least @p count entries; 0 = the present entries.
    [[nodiscard]] Entries entries(const QStringList &matches, qsizetype count,
                                  QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// A field's exact bytes: journalctl writes those that are not UTF-8 as an array of numbers.
    static QByteArray bytes(const QJsonValue &field);

    /// SIGSTOP: its socket stays and fills.
    void pause();
    void resume();
    /// SIGKILL. Entries it has written can still be read; launch() starts it again.
    void kill();
    [[nodiscard]] bool launch();
    /// Deletes all entries.
    void forget();
    /// A second journald beside the first, as LogNamespace=@p name starts one for a service.
    [[nodiscard]] bool launchNamespace(const QString &name);

private:
    [[nodiscard]] bool holdNamespace();
    [[nodiscard]] bool holdSockets();
    [[nodiscard]] Command journaldCommand(const QString &logNamespace) const;
    /// Starts journald for @p logNamespace, or for processes without one; nullptr if that fails.
    std::unique_ptr<ChildProcess> startJournald(const QString &logNamespace);
    /// Runs journalctl; nullopt if it fails or takes too long.
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
