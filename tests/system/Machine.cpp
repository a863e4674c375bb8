// SPDX-License-Identifier: Apache-2.0
#include "Machine.h"

#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

using namespace std::chrono_literals;

const QString scripts = QStringLiteral(DTLSD_SOURCE_DIR "/tests/system/");
constexpr auto timeToMakeRoot = 4min; // where nothing has made it before
constexpr auto timeToBoot = 2min;     // beside others

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QList<pid_t> childrenOf(pid_t process)
{
    QList<pid_t> children;
    for (const QByteArray &id :
         contentOf(QStringLiteral("/proc/%1/task/%1/children").arg(process)).split(' ')) {
        if (!id.isEmpty())
            children << id.toInt();
    }
    return children;
}

/// The descendant of @p process of that name; 0: there is none.
pid_t descendant(pid_t process, const QByteArray &name)
{
    for (const pid_t child : childrenOf(process)) {
        if (contentOf(QStringLiteral("/proc/%1/comm").arg(child)).trimmed() == name)
            return child;
        if (const pid_t found = descendant(child, name))
            return found;
    }
    return 0;
}

/// What the process is called in the innermost of its namespaces.
pid_t innermostId(pid_t process)
{
    for (const QByteArray &line :
         contentOf(QStringLiteral("/proc/%1/status").arg(process)).split('\n')) {
        if (line.startsWith("NSpid:"))
            return line.mid(line.lastIndexOf('\t') + 1).toInt();
    }
    return 0;
}

pid_t descendantKnownAs(pid_t inside, pid_t process)
{
    if (innermostId(process) == inside)
        return process;
    for (const pid_t child : childrenOf(process)) {
        if (const pid_t found = descendantKnownAs(inside, child))
            return found;
    }
    return 0;
}

} // namespace

QByteArray Machine::Outcome::description() const
{
    return "status " + QByteArray::number(status) + ": " + said.trimmed();
}

Machine::Machine()
{
    // It ends when its standard input does, so that it can clear up; also when the test is killed.
    m_container.setChildProcessModifier({});
    m_container.setProcessChannelMode(QProcess::MergedChannels);
}

Machine::~Machine()
{
    m_container.closeWriteChannel();
    m_container.waitForEnd();
}

bool Machine::prepare()
{
    if (geteuid() != 0) {
        m_errorText = QStringLiteral("a machine of our own needs root");
        return false;
    }
    for (const char *program : {"apt-get", "debootstrap", "systemd-nspawn", "unshare", "nsenter"}) {
        if (QStandardPaths::findExecutable(QLatin1String(program)).isEmpty()) {
            m_errorText = QStringLiteral("a machine of our own needs ") + QLatin1String(program);
            return false;
        }
    }
    ChildProcess maker;
    const bool made = maker.run({scripts + QStringLiteral("machine-root"), {}}) &&
                      maker.waitForEnd(QDeadlineTimer(timeToMakeRoot)) && maker.exitCode() == 0;
    m_root = QString::fromUtf8(maker.readAllStandardOutput()).trimmed();
    if (!made)
        m_errorText = QStringLiteral("no root for a machine: ") +
                      QString::fromUtf8(maker.readAllStandardError().right(1000));
    return made;
}

bool Machine::boot()
{
    if (m_container.run({scripts + QStringLiteral("machine"), {m_root}}) && waitForSystemd())
        return enterNetwork();
    m_errorText = QStringLiteral("the machine does not boot: ") +
                  QString::fromUtf8(m_container.readAll().right(1000));
    return false;
}

bool Machine::reboot()
{
    const pid_t before = m_systemd;
    run(QStringLiteral("systemctl reboot")); // which may not live to tell
    const auto isDown = [before] {
        return !QFileInfo::exists(QStringLiteral("/proc/%1").arg(before));
    };
    if (waitUntil(isDown, QDeadlineTimer(timeToBoot)) && waitForSystemd())
        return enterNetwork();
    m_errorText = QStringLiteral("the machine does not boot again: ") +
                  QString::fromUtf8(m_container.readAll().right(1000));
    return false;
}

bool Machine::waitForSystemd()
{
    QByteArray state; // "degraded" is the affair of whoever asks for it
    const auto isUp = [&] {
        m_systemd = descendant(static_cast<pid_t>(m_container.processId()), "systemd");
        if (m_systemd != 0)
            state = run(QStringLiteral("systemctl is-system-running --wait")).said.trimmed();
        return state == "running" || state == "degraded" || !m_container.isRunning();
    };
    return waitUntil(isUp, QDeadlineTimer(timeToBoot)) && m_container.isRunning();
}

bool Machine::enterNetwork()
{
    const int network = open(QFile::encodeName(QStringLiteral("/proc/%1/ns/net").arg(m_systemd)),
                             O_RDONLY | O_CLOEXEC);
    const bool entered = setns(network, CLONE_NEWNET) == 0;
    if (!entered)
        m_errorText = QStringLiteral("cannot enter the machine's network: ") +
                      QString::fromLocal8Bit(std::strerror(errno));
    close(network);
    return entered;
}

Command Machine::wrap(const Command &command) const
{
    const QStringList where{QStringLiteral("--target=%1").arg(m_systemd),
                            QStringLiteral("--mount"),
                            QStringLiteral("--uts"),
                            QStringLiteral("--ipc"),
                            QStringLiteral("--net"),
                            QStringLiteral("--pid"),
                            QStringLiteral("--root"),
                            QStringLiteral("--wd=/proc/%1/root/root").arg(m_systemd),
                            QStringLiteral("--")};
    const QStringList environment{
        QStringLiteral("env"),
        QStringLiteral("-i"),
        QStringLiteral("HOME=/root"),
        QStringLiteral("LC_ALL=C.UTF-8"),
        QStringLiteral("TERM=dumb"),
        QStringLiteral("DEBIAN_FRONTEND=noninteractive"),
        QStringLiteral("SYSTEMD_PAGER="),
        QStringLiteral("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")};
    return {QStringLiteral("nsenter"),
            where + environment + QStringList{command.program} + command.arguments};
}

Machine::Outcome Machine::run(const QString &script, QDeadlineTimer deadline) const
{
    ChildProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setStandardInputFile(QProcess::nullDevice());
    const bool ended =
        process.run(wrap({QStringLiteral("sh"), {QStringLiteral("-euc"), script}})) &&
        process.waitForEnd(deadline) && process.exitStatus() == QProcess::NormalExit;
    return {ended ? process.exitCode() : -1, process.readAll()};
}

QString Machine::outsidePath(const QString &path) const
{
    return QStringLiteral("/proc/%1/root").arg(m_systemd) + path;
}

bool Machine::write(const QString &path, const QByteArray &content) const
{
    QFile file(outsidePath(path));
    return file.open(QIODevice::WriteOnly) && file.write(content) == content.size() && file.flush();
}

pid_t Machine::outsideId(pid_t inside) const
{
    return inside > 0 ? descendantKnownAs(inside, m_systemd) : 0;
}

} // namespace dtlsd::test
