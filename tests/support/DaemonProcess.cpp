// SPDX-License-Identifier: Apache-2.0
#include "support/DaemonProcess.h"

#include "support/JournalInstance.h"

#include <QFile>

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

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

constexpr int firstPassed = 3; // SD_LISTEN_FDS_START

/// Runs between fork and exec, where QProcess has a small stack: moves @p descriptors to where
/// sd_listen_fds(3) looks for them. @p away has as many places.
void putInPlace(const std::vector<int> &descriptors, std::vector<int> &away)
{
    const int beyond = firstPassed + static_cast<int>(descriptors.size());
    for (std::size_t i = 0; i < descriptors.size(); ++i)
        away[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, beyond);
    for (std::size_t i = 0; i < descriptors.size(); ++i)
        dup2(away[i], firstPassed + static_cast<int>(i));
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

void DaemonProcess::pass(const std::vector<PassedDescriptor> &descriptors)
{
    std::vector<int> numbers;
    QByteArrayList names;
    for (const PassedDescriptor &one : descriptors) {
        numbers.push_back(one.descriptor);
        names << one.name;
    }
    m_passes = !numbers.empty();
    QProcessEnvironment environment = m_process.processEnvironment();
    environment.remove(QStringLiteral("LISTEN_FDS"));
    environment.remove(QStringLiteral("LISTEN_FDNAMES"));
    if (m_passes) {
        environment.insert(QStringLiteral("LISTEN_FDS"), QString::number(numbers.size()));
        environment.insert(QStringLiteral("LISTEN_FDNAMES"), QString::fromLatin1(names.join(':')));
    }
    m_process.setProcessEnvironment(environment);
    m_process.prepareChild([numbers, away = numbers]() mutable { putInPlace(numbers, away); });
}

Command DaemonProcess::withPassed(const Command &command) const
{
    if (!m_passes)
        return command;
    // Only the process itself knows its number.
    return {QStringLiteral("sh"),
            QStringList{QStringLiteral("-euc"), QStringLiteral("export LISTEN_PID=$$; exec \"$@\""),
                        QStringLiteral("sh"), command.program} +
                command.arguments};
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
    command = withPassed(command);
    if (m_runner)
        command = {m_runner->program,
                   m_runner->arguments + QStringList{command.program} + command.arguments};
    readOutput(); // of the process before
    m_output.end();
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
    if (m_process.isOpen())
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
