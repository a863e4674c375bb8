// SPDX-License-Identifier: Apache-2.0
#include "Container.h"

#include <QDir>
#include <QFile>
#include <QStandardPaths>

#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

constexpr unsigned user = 65532; // the image's

/// tests/run unpacks podman where it is not installed.
QString podmanProgram()
{
    const QString name = QStringLiteral("podman");
    const QString installed = QStandardPaths::findExecutable(name);
    return !installed.isEmpty()
               ? installed
               : QStandardPaths::findExecutable(
                     name, {QStringLiteral(DTLSD_SOURCE_DIR "/build/podman/usr/bin")});
}

QStringList words(const char *text)
{
    return QString::fromLatin1(text).split(u' ');
}

/// What machines without systemd and with the older control groups need.
QStringList withGlobals(const QStringList &arguments)
{
    return words("--runtime runc --cgroup-manager cgroupfs --events-backend none") + arguments;
}

} // namespace

bool Container::isAvailable(QString *why)
{
    if (::geteuid() != 0) {
        *why = QStringLiteral("containers need root here");
        return false;
    }
    for (const char *name : {"buildah", "debootstrap", "runc", "conmon", "unshare"}) {
        if (QStandardPaths::findExecutable(QLatin1String(name)).isEmpty()) {
            *why = QLatin1String(name) + QStringLiteral(" is not installed");
            return false;
        }
    }
    if (podmanProgram().isEmpty()) {
        *why = QStringLiteral("podman is not there; tests/run unpacks it");
        return false;
    }
    return true;
}

Container::Outcome Container::podman(const QStringList &arguments, QDeadlineTimer deadline)
{
    ChildProcess process;
    Outcome outcome;
    if (!process.run({podmanProgram(), withGlobals(arguments)}) || !process.waitForEnd(deadline)) {
        outcome.errors = process.errorString();
        return outcome;
    }
    return {process.exitCode(), process.readAllStandardOutput(),
            QString::fromUtf8(process.readAllStandardError())};
}

void Container::write(const QString &name, const QByteArray &content)
{
    m_isConfigured = true;
    const QByteArray path = QFile::encodeName(m_folder.filePath(name));
    QFile file(m_folder.filePath(name));
    const bool written = file.open(QIODevice::WriteOnly) && file.write(content) == content.size() &&
                         file.flush() && ::fchmod(file.handle(), 0400) == 0 &&
                         ::fchown(file.handle(), user, user) == 0 &&
                         ::chown(QFile::encodeName(m_folder.path()).constData(), user, user) == 0;
    if (!written)
        qFatal("%s cannot be written", path.constData());
}

bool Container::launch(const QStringList &arguments)
{
    static int count = 0;
    m_name = QStringLiteral("dtlsd-%1").arg(++count);
    QStringList run = words("run --rm --ulimit nofile=1024:1024 "
                            "--ulimit nproc=1000:1000 --read-only --cap-drop=ALL "
                            "--security-opt=no-new-privileges");
    run << QStringLiteral("--name=") + m_name << QStringLiteral("--network=") + m_network
        << QStringLiteral("--cgroup-parent=") + qEnvironmentVariable("DTLSD_CGROUP");
    if (m_isConfigured)
        run << QStringLiteral("--volume=%1:/etc/dtlsd:ro").arg(m_folder.path());
    return m_process.run(
        {podmanProgram(), withGlobals(run + m_options) + QStringList{m_image} + arguments});
}

bool Container::start()
{
    const auto hasStarted = [this] {
        return !events(QStringLiteral("started")).isEmpty() || !m_process.isRunning();
    };
    return launch() && waitUntil(hasStarted, QDeadlineTimer(patience)) && m_process.isRunning();
}

Container::Outcome Container::waitForEnd()
{
    const bool ended = m_process.waitForEnd();
    readOutput();
    return {ended ? m_process.exitCode() : -1, {}, errorText()};
}

Container::Outcome Container::stop()
{
    podman({QStringLiteral("stop"), QStringLiteral("--time=1"), m_name});
    return waitForEnd();
}

Container::Outcome Container::checkHealth() const
{
    // podman looks at its timeout only when dtlsctl gives up, after half a minute.
    return podman({QStringLiteral("healthcheck"), QStringLiteral("run"), m_name},
                  QDeadlineTimer(4 * patience));
}

qint64 Container::processId() const
{
    return podman({QStringLiteral("inspect"), QStringLiteral("--format={{.State.Pid}}"), m_name})
        .output.trimmed()
        .toLongLong();
}

QList<QJsonObject> Container::events(const QString &name)
{
    readOutput();
    return m_output.events(name);
}

QList<QByteArray> Container::strayLines()
{
    readOutput();
    return m_output.strayLines();
}

QString Container::errorText()
{
    m_errors += QString::fromUtf8(m_process.readAllStandardError());
    return m_errors;
}

void Container::readOutput()
{
    m_output.append(m_process.readAllStandardOutput());
}

} // namespace dtlsd::test
