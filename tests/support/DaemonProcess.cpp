// SPDX-License-Identifier: Apache-2.0
#include "support/DaemonProcess.h"

#include "support/JournalInstance.h"

#include <QFile>

#include <cstdio>

namespace dtlsd::test {

namespace {

/// DTLSD_PEER_PORT -> peer_port, MESSAGE -> message
QJsonObject asEvent(const QJsonObject &journalEntry)
{
    QJsonObject event;
    for (auto field = journalEntry.begin(); field != journalEntry.end(); ++field) {
        QString name = field.key();
        if (name.startsWith(QStringLiteral("DTLSD_")))
            name.remove(0, 6);
        event.insert(name.toLower(), field.value());
    }
    return event;
}

} // namespace

DaemonProcess::DaemonProcess(const QByteArray &config, JournalInstance *journal)
    : m_journal(journal)
{
    setConfig(config);
    m_process.setStandardInputFile(QProcess::nullDevice());
    m_process.setProcessEnvironment(QProcessEnvironment::systemEnvironment());
    // Each daemon has a control socket of its own.
    setEnvironment(QStringLiteral("RUNTIME_DIRECTORY"), directory());
}

QString DaemonProcess::controlSocket() const
{
    return m_directory.filePath(QStringLiteral("control.sock"));
}

QString DaemonProcess::configFile() const
{
    return m_directory.filePath(QStringLiteral("dtlsd.ini"));
}

void DaemonProcess::write(const QString &name, const QByteArray &content) const
{
    // A new file each time, as editors and packages write it: no reader sees half a file.
    const QString path = m_directory.filePath(name);
    QFile file(path + QStringLiteral(".new"));
    const bool written = file.open(QIODevice::WriteOnly) &&
                         file.setPermissions(QFile::ReadOwner | QFile::WriteOwner) &&
                         file.write(content) == content.size() && file.flush();
    if (!written || std::rename(QFile::encodeName(file.fileName()).constData(),
                                QFile::encodeName(path).constData()) != 0)
        qFatal("cannot write %s", qPrintable(path));
}

void DaemonProcess::setConfig(const QByteArray &config) const
{
    write(QStringLiteral("dtlsd.ini"), config);
}

void DaemonProcess::setEnvironment(const QString &name, const QString &value)
{
    QProcessEnvironment environment = m_process.processEnvironment();
    environment.insert(name, value);
    m_process.setProcessEnvironment(environment);
}

QString DaemonProcess::program()
{
    return qEnvironmentVariable("DTLSD_BINARY", QStringLiteral(DTLSD_BINARY));
}

bool DaemonProcess::launch()
{
    const QString target = m_journal ? QStringLiteral("journal") : QStringLiteral("json");
    Command command{program(), QStringList{QStringLiteral("--config"), configFile(),
                                           QStringLiteral("--log-target"), target} +
                                   m_arguments};
    if (m_runner)
        command = {m_runner->program,
                   m_runner->arguments + QStringList{program()} + command.arguments};
    const bool launched = m_process.run(m_journal ? m_journal->wrap(command) : command);
    m_processId = m_process.processId();
    return launched;
}

bool DaemonProcess::start(QDeadlineTimer deadline)
{
    return launch() && waitForEvent(QStringLiteral("started"), {}, deadline).has_value();
}

QList<SocketAddress> DaemonProcess::addresses()
{
    QList<SocketAddress> result;
    for (const QJsonObject &started : events(QStringLiteral("started"))) {
        const QString list = started[QStringLiteral("local_address")].toString();
        for (const QString &text : list.split(u',')) {
            if (const auto address = SocketAddress::parse(text.trimmed()))
                result << *address;
        }
    }
    return result;
}

QList<std::uint16_t> DaemonProcess::ports()
{
    QList<std::uint16_t> result;
    for (const SocketAddress &address : addresses())
        result << address.port();
    return result;
}

DaemonProcess::Events DaemonProcess::events(const QString &name)
{
    if (m_journal) {
        Events result;
        const QStringList matches{QStringLiteral("_PID=%1").arg(m_processId),
                                  QStringLiteral("DTLSD_EVENT=") + name};
        for (const QJsonObject &entry : m_journal->entries(matches, 0))
            result << asEvent(entry);
        return result;
    }
    readOutput();
    return m_output.events(name);
}

std::optional<QJsonObject> DaemonProcess::waitForEvent(const QString &name,
                                                       const Predicate &predicate,
                                                       QDeadlineTimer deadline)
{
    std::optional<QJsonObject> found;
    const auto look = [&] {
        const bool ended = !m_process.isRunning(); // asked first, so that its last lines are read
        for (const QJsonObject &event : events(name)) {
            if (!predicate || predicate(event)) {
                found = event;
                return true;
            }
        }
        return ended;
    };
    waitUntil(look, deadline);
    return found;
}

qint64 DaemonProcess::number(const QJsonValue &field)
{
    return field.isString() ? field.toString().toLongLong() : field.toInteger();
}

void DaemonProcess::readOutput()
{
    m_output.append(m_process.readAllStandardOutput());
}

QList<QByteArray> DaemonProcess::strayLines()
{
    readOutput();
    return m_output.strayLines();
}

QString DaemonProcess::errorText()
{
    m_errors += m_process.readAllStandardError();
    return QString::fromUtf8(m_errors);
}

std::optional<int> DaemonProcess::stop(QDeadlineTimer deadline)
{
    m_process.terminate();
    return waitForExit(deadline);
}

std::optional<int> DaemonProcess::waitForExit(QDeadlineTimer deadline)
{
    if (!m_process.waitForEnd(deadline) || m_process.exitStatus() != QProcess::NormalExit)
        return std::nullopt;
    return m_process.exitCode();
}

} // namespace dtlsd::test
