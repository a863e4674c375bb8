// SPDX-License-Identifier: Apache-2.0
//
// Administrator: whoever runs dtlsd on a machine, with the tools of the distribution: apt,
// systemctl, journalctl and an editor.
#pragma once

#include "Machine.h"

#include "core/SocketAddress.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>

#include <functional>

namespace dtlsd::test {

class Administrator
{
public:
    using Outcome = Machine::Outcome;
    using Entries = QList<QJsonObject>;

    explicit Administrator(Machine &machine)
        : m_machine(machine)
    {
    }

    /// Where the default configuration listens.
    static SocketAddress server();
    /// Builds the package, and one of a higher version, on our own machine. What is said is where
    /// they lie, each on a line.
    static Outcome buildPackages();

    /// Has apt install the package of that name on our own machine, or upgrade to it.
    Outcome install(const QString &package);
    /// When it fails, the end of the journal is said as well.
    Outcome systemctl(const QString &arguments);
    /// All of dtlsd.ini.
    Outcome configure(const QByteArray &text);
    /// A drop-in of dtlsd.service.
    Outcome addDropIn(const QString &name, const QByteArray &text);
    /// One that the package has among its examples.
    Outcome addExampleDropIn(const QString &name);
    /// Without drop-ins and without what earlier failures left, it starts anew.
    Outcome startAfresh();

    /// What systemd knows of a unit: ActiveState, NRestarts, Result …
    [[nodiscard]] QString property(const QString &name,
                                   const QString &unit = QStringLiteral("dtlsd.service")) const;
    /// The service's process, as we know it. One that is just being started is waited for; 0: there
    /// came none.
    [[nodiscard]] pid_t process() const;
    /// false: there is no such process, or @p process is none.
    [[nodiscard]] static bool sendSignal(pid_t process, int signal);
    /// Runs again, as another process than @p before.
    [[nodiscard]] bool waitForRestart(pid_t before) const;

    /// Entries of the journal, oldest first; @p matches are arguments of journalctl.
    [[nodiscard]] Entries entries(const QStringList &matches) const;
    /// What has to be among the arguments to get only entries that come from now on.
    [[nodiscard]] QString fromNowOn() const;
    /// The last of them, now or later; empty: there came none.
    [[nodiscard]] QJsonObject waitForEntry(const QStringList &matches) const;
    /// Of all datagrams, also those of other namespaces of the journal.
    [[nodiscard]] QList<QByteArray> payloads() const;

    /// If the current test has failed, what the journal has last.
    void explainFailure() const;

private:
    Machine &m_machine;
};

} // namespace dtlsd::test
