// SPDX-License-Identifier: Apache-2.0
#include "Forwarding.h"

#include "JournalOutput.h"
#include "support/FreePort.h"

#include <QTcpSocket>

#include <csignal>

namespace dtlsd::test {

Forwarding::Forwarding(InstalledMachine &machine)
    : m_machine(machine)
    , m_port(freePort())
{
}

std::unique_ptr<ChildProcess> Forwarding::startUnit(const QString &unit, const QString &as)
{
    QString command = m_machine.valueIn(QStringLiteral("/lib/systemd/system/%1.service").arg(unit),
                                        QStringLiteral("ExecStart="));
    // Instead of a socket from systemd.
    command.replace(QStringLiteral("=-3"), QStringLiteral("=127.0.0.1:%1").arg(m_port));
    auto process = std::make_unique<ChildProcess>();
    // Another user's process forgets by whose death it was to die.
    process->run(
        m_machine.shell(QStringLiteral("exec setpriv --pdeathsig KILL %1 %2").arg(as, command)));
    return process;
}

bool Forwarding::startCollector()
{
    m_collector = startUnit(
        QStringLiteral("systemd-journal-remote"),
        QStringLiteral(
            "--reuid=systemd-journal-remote --regid=systemd-journal-remote --clear-groups"));
    const auto listens = [this] {
        QTcpSocket trial;
        trial.connectToHost(QHostAddress::LocalHost, m_port);
        return trial.waitForConnected() || !m_collector->isRunning();
    };
    return waitUntil(listens, QDeadlineTimer(patience)) && m_collector->isRunning();
}

bool Forwarding::startSender()
{
    m_sender = startUnit(QStringLiteral("systemd-journal-upload"),
                         QStringLiteral("--reuid=nobody --regid=nogroup --groups=systemd-journal"));
    return m_sender->isRunning();
}

bool Forwarding::stopSender()
{
    m_sender->sendSignal(SIGTERM);
    return m_sender->waitForEnd() && m_sender->exitStatus() == QProcess::NormalExit;
}

QList<QJsonObject> Forwarding::entries(qsizetype count, QDeadlineTimer deadline)
{
    const QString command =
        QStringLiteral("journalctl --directory=/var/log/journal/remote -o json --all");
    QList<QJsonObject> found;
    const auto haveArrived = [&] {
        found = objectsOf(m_machine.run(command).value_or(QByteArray()));
        found.removeIf([](const QJsonObject &entry) {
            return !entry.contains(QStringLiteral("DTLSD_PEER_ADDRESS"));
        });
        return found.size() >= count || !m_sender->isRunning() || !m_collector->isRunning();
    };
    waitUntil(haveArrived, deadline);
    return found;
}

QByteArray Forwarding::errorText()
{
    return m_collector->readAllStandardError() + (m_sender ? m_sender->readAllStandardError() : "");
}

} // namespace dtlsd::test
