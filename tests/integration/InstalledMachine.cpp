// SPDX-License-Identifier: Apache-2.0
#include "InstalledMachine.h"

#include <QFile>
#include <QRegularExpression>
#include <QStandardPaths>

namespace dtlsd::test {

namespace {

// tests/run unpacks fail2ban there where it is not installed.
const QString fail2ban = QStringLiteral(DTLSD_SOURCE_DIR "/build/fail2ban");
const QString remotePrograms = QStringLiteral("/lib/systemd");

} // namespace

bool InstalledMachine::isAvailable(QString *why)
{
    const auto missing = [why](const QString &what) {
        *why = QStringLiteral("the recipes need ") + what;
        return false;
    };
    if (!JournalInstance::isAvailable(why))
        return false;
    for (const QString &program :
         {QStringLiteral("cmake"), QStringLiteral("jq"), QStringLiteral("openssl"),
          remotePrograms + QStringLiteral("/systemd-journal-remote"),
          remotePrograms + QStringLiteral("/systemd-journal-upload")}) {
        if (QStandardPaths::findExecutable(program).isEmpty())
            return missing(program);
    }
    const QString program = QStringLiteral("fail2ban-regex");
    if (QStandardPaths::findExecutable(program).isEmpty() &&
        QStandardPaths::findExecutable(program, {fail2ban + QStringLiteral("/usr/bin")}).isEmpty())
        return missing(program + QStringLiteral("; tests/run unpacks it"));
    ChildProcess python;
    if (!python.run({QStringLiteral("/usr/bin/python3"), // fail2ban's
                     {QStringLiteral("-c"), QStringLiteral("import systemd.journal")}}) ||
        !python.waitForEnd() || python.exitCode() != 0)
        return missing(QStringLiteral("python3-systemd"));
    return true;
}

bool InstalledMachine::start()
{
    if (!m_journal.start()) {
        m_errorText = m_journal.errorText();
        return false;
    }
    return run(QStringLiteral(DTLSD_SOURCE_DIR
                              "/tests/integration/guide-machine install_all " DTLSD_BUILD_DIR
                              " %1 2>&1")
                   .arg(fail2ban))
        .has_value();
}

Command InstalledMachine::shell(const QString &script) const
{
    const QStringList environment{
        QStringLiteral("LC_ALL=C.UTF-8"), QStringLiteral("SYSTEMD_OFFLINE=1"),
        QStringLiteral("no_proxy=*"),
        QStringLiteral("PYTHONPATH=%1/usr/lib/python3/dist-packages").arg(fail2ban),
        QStringLiteral("PATH=%1:%2/usr/bin:%3/bin:%3/sbin")
            .arg(qEnvironmentVariable("PATH"), fail2ban, QStringLiteral("/run/installed/usr"))};
    return m_journal.wrap({QStringLiteral("env"),
                           QStringList{QStringLiteral("--chdir=") + m_directory.path()} +
                               environment +
                               QStringList{QStringLiteral("sh"), QStringLiteral("-euc"), script}});
}

std::optional<QByteArray> InstalledMachine::run(const QString &script)
{
    ChildProcess process;
    const bool ended = process.run(shell(script)) && process.waitForEnd();
    if (ended && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0)
        return process.readAllStandardOutput();
    m_errorText =
        script + QStringLiteral("\n: ") +
        (ended ? QString::fromUtf8(process.readAllStandardError()) : QStringLiteral("did not end"));
    return std::nullopt;
}

QString InstalledMachine::valueIn(const QString &path, const QString &key) const
{
    QFile file(m_journal.outsidePath(path));
    const QByteArray text = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    const QRegularExpression setting(QStringLiteral("^%1(.+)$").arg(key),
                                     QRegularExpression::MultilineOption);
    return setting.match(QString::fromUtf8(text)).captured(1);
}

} // namespace dtlsd::test
