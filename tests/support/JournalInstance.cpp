// SPDX-License-Identifier: Apache-2.0
#include "support/JournalInstance.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStandardPaths>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

const QString journaldProgram = QStringLiteral("/lib/systemd/systemd-journald");
const QString runtimeDirectory = QStringLiteral("/run/systemd/journal");

// A drop-in whose name sorts last overrides a distribution's. Kernel messages and audit belong to
// the host; an empty Audit= does not change the kernel's setting. The holder then waits until its
// standard input closes.
const QString holderScript = QStringLiteral(R"(
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /etc/systemd
mkdir -p /run/systemd/journal /run/log/journal /etc/systemd/journald.conf.d
cat > /etc/systemd/journald.conf.d/zz-test.conf <<EOF
[Journal]
Storage=volatile
RateLimitIntervalSec=0
RateLimitBurst=0
ForwardToSyslog=no
ForwardToKMsg=no
ForwardToConsole=no
ForwardToWall=no
ReadKMsg=no
Audit=
$1
EOF
if [ -n "$2" ]; then
    mount -t tmpfs -o size="$2" tmpfs /run/log/journal
fi
echo held
read -r end || true
)");

/// The sockets of systemd-journald.socket, with their types.
const QList<std::pair<QByteArray, int>> journaldSockets{
    {"/run/systemd/journal/socket", SOCK_DGRAM},
    {"/run/systemd/journal/stdout", SOCK_STREAM},
    {"/run/systemd/journal/dev-log", SOCK_DGRAM}};

/// -1: that failed.
int boundSocket(const QByteArray &path, int type)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    const int fd = socket(AF_UNIX, type, 0);
    if (bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0 &&
        chmod(path.constData(), 0666) == 0 && // everybody may log
        (type == SOCK_DGRAM || listen(fd, SOMAXCONN) == 0))
        return fd;
    close(fd);
    return -1;
}

} // namespace

JournalInstance::JournalInstance()
    : JournalInstance(Options())
{
}

JournalInstance::JournalInstance(Options options)
    : m_options(std::move(options))
{
}

JournalInstance::~JournalInstance()
{
    for (const int fd : m_sockets)
        close(fd);
}

QString JournalInstance::journalDirectory()
{
    return QStringLiteral("/run/log/journal");
}

bool JournalInstance::isAvailable(QString *why)
{
    const auto missing = [why](const QString &what) {
        if (why)
            *why = QStringLiteral("a journald of our own needs ") + what;
        return false;
    };
    if (geteuid() != 0)
        return missing(QStringLiteral("root"));
    for (const QString &program : {QStringLiteral("unshare"), QStringLiteral("nsenter"),
                                   QStringLiteral("journalctl"), journaldProgram}) {
        if (QStandardPaths::findExecutable(program).isEmpty())
            return missing(program);
    }
    if (QFileInfo(QStringLiteral("/etc/machine-id")).size() == 0)
        return missing(QStringLiteral("/etc/machine-id; see systemd-machine-id-setup(1)"));
    ChildProcess trial;
    const bool tried =
        trial.run({QStringLiteral("unshare"),
                   {QStringLiteral("--mount"), QStringLiteral("mount"), QStringLiteral("-t"),
                    QStringLiteral("tmpfs"), QStringLiteral("tmpfs"), QStringLiteral("/run")}});
    if (!tried || !trial.waitForEnd() || trial.exitCode() != 0)
        return missing(QStringLiteral("the right to mount (CAP_SYS_ADMIN)"));
    return true;
}

bool JournalInstance::start()
{
    return (m_holder || holdNamespace()) && (!m_options.holdsSockets || holdSockets()) && launch();
}

bool JournalInstance::enter()
{
    if (!holdNamespace())
        return false;
    const QByteArray holder = "/proc/" + QByteArray::number(m_holder->processId());
    const int space = open(holder + "/ns/mnt", O_RDONLY | O_CLOEXEC);
    const int root = open(holder + "/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const bool entered = setns(space, CLONE_NEWNS) == 0 && fchdir(root) == 0 && chroot(".") == 0;
    if (!entered)
        m_errorText = QStringLiteral("cannot enter the namespace: ") +
                      QString::fromLocal8Bit(std::strerror(errno));
    close(space);
    close(root);
    return entered;
}

bool JournalInstance::holdSockets()
{
    for (const auto &[path, type] : journaldSockets)
        m_sockets << boundSocket(path, type);
    if (!m_sockets.contains(-1))
        return true;
    m_errorText = QStringLiteral("the sockets of journald cannot be bound here");
    return false;
}

bool JournalInstance::holdNamespace()
{
    m_holder = std::make_unique<ChildProcess>();
    QByteArray output;
    const bool started = m_holder->run(
        {QStringLiteral("unshare"),
         {QStringLiteral("--mount"), QStringLiteral("--propagation"), QStringLiteral("private"),
          QStringLiteral("sh"), QStringLiteral("-euc"), holderScript, QStringLiteral("sh"),
          QString::fromUtf8(m_options.settings), QString::fromUtf8(m_options.journalSize)}});
    const auto held = [&] {
        output += m_holder->readAllStandardOutput();
        return output.contains("held") || !m_holder->isRunning();
    };
    if (started && waitUntil(held, QDeadlineTimer(patience)) && m_holder->isRunning())
        return true;
    m_errorText = QStringLiteral("no mount namespace: ") + m_holder->errorString() + u' ' +
                  QString::fromUtf8(m_holder->readAllStandardError());
    return false;
}

std::unique_ptr<ChildProcess> JournalInstance::startJournald(const QString &logNamespace)
{
    const QString suffix = logNamespace.isEmpty() ? QString() : u'.' + logNamespace;
    const QString varlinkSocket =
        outsidePath(runtimeDirectory + suffix + QStringLiteral("/io.systemd.journal"));
    QFile::remove(varlinkSocket); // left by a killed journald
    auto journald = std::make_unique<ChildProcess>();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto *name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS"})
        environment.remove(QLatin1String(name));
    environment.insert(QStringLiteral("SYSTEMD_LOG_TARGET"), QStringLiteral("console"));
    journald->setProcessEnvironment(environment);
    // Not a pipe: journald would block on it while a test waits for journald.
    const QString errors = outsidePath(QStringLiteral("/run/journald-errors"));
    journald->setStandardErrorFile(errors);

    const QDeadlineTimer deadline(patience);
    const auto listens = [&] { return QFileInfo::exists(varlinkSocket) || !journald->isRunning(); };
    QStringList sync{QStringLiteral("--sync")};
    if (!logNamespace.isEmpty())
        sync << QStringLiteral("--namespace=") + logNamespace;
    if (journald->run(wrap(journaldCommand(logNamespace))) && waitUntil(listens, deadline) &&
        journald->isRunning() && journalctl(sync, deadline))
        return journald;
    QFile said(errors);
    const bool hasSaid = said.open(QIODevice::ReadOnly);
    m_errorText = QStringLiteral("journald does not answer: ") + journald->errorString() + u' ' +
                  QString::fromUtf8(hasSaid ? said.readAll() : QByteArray());
    return nullptr;
}

bool JournalInstance::launch()
{
    m_paused = false;
    m_journald = startJournald({});
    return m_journald != nullptr;
}

bool JournalInstance::launchNamespace(const QString &name)
{
    m_namespaced = startJournald(name);
    return m_namespaced != nullptr;
}

/// Held sockets are passed by the protocol of sd_listen_fds(3).
Command JournalInstance::journaldCommand(const QString &logNamespace) const
{
    if (!logNamespace.isEmpty())
        return {journaldProgram, {logNamespace}};
    if (m_sockets.isEmpty())
        return {journaldProgram, {}};
    QString script;
    for (qsizetype i = 0; i < m_sockets.size(); ++i)
        script += QStringLiteral("exec %1<&%2\n").arg(3 + i).arg(m_sockets[i]);
    script += QStringLiteral("LISTEN_PID=$$ LISTEN_FDS=%1 exec %2")
                  .arg(m_sockets.size())
                  .arg(journaldProgram);
    return {QStringLiteral("bash"), {QStringLiteral("-euc"), script}};
}

Command JournalInstance::wrap(const Command &command) const
{
    // The root directory too: entering a namespace leaves the chroot, and reaches the host's /run.
    const QString holder = QStringLiteral("/proc/%1").arg(m_holder->processId());
    return {QStringLiteral("nsenter"), QStringList{QStringLiteral("--mount=%1/ns/mnt").arg(holder),
                                                   QStringLiteral("--root=%1/root").arg(holder),
                                                   QStringLiteral("--"), command.program} +
                                           command.arguments};
}

Command JournalInstance::wrapInNamespace(const QString &name, const Command &command) const
{
    const QString script =
        QStringLiteral("mount --bind %1.%2 %1; exec \"$@\"").arg(runtimeDirectory, name);
    return wrap(
        {QStringLiteral("unshare"),
         QStringList{QStringLiteral("--mount"), QStringLiteral("sh"), QStringLiteral("-euc"),
                     script, QStringLiteral("sh"), command.program} +
             command.arguments});
}

QString JournalInstance::outsidePath(const QString &path) const
{
    return QStringLiteral("/proc/%1/root").arg(m_holder->processId()) + path;
}

std::optional<QByteArray> JournalInstance::journalctl(const QStringList &arguments,
                                                      QDeadlineTimer deadline)
{
    ChildProcess process;
    if (!process.run(wrap({QStringLiteral("journalctl"), arguments})) ||
        !process.waitForEnd(deadline) || process.exitStatus() != QProcess::NormalExit ||
        process.exitCode() != 0)
        return std::nullopt;
    return process.readAllStandardOutput();
}

JournalInstance::Entries JournalInstance::entries(const QStringList &matches,
                                                  const Condition &condition,
                                                  QDeadlineTimer deadline)
{
    Entries found;
    // Each round reads only new entries. A round has its own time limit, so that the last one, at
    // the deadline, can finish.
    const auto read = [&] {
        if (!m_paused && m_journald->isRunning())
            (void)journalctl({QStringLiteral("--sync")}, QDeadlineTimer(patience));
        QStringList arguments{QStringLiteral("--directory"),   journalDirectory(),
                              QStringLiteral("--output=json"), QStringLiteral("--all"),
                              QStringLiteral("--no-pager"),    QStringLiteral("--quiet")};
        if (!found.isEmpty())
            arguments << QStringLiteral("--after-cursor")
                      << found.last()[QStringLiteral("__CURSOR")].toString();
        const auto output = journalctl(arguments + matches, QDeadlineTimer(patience));
        for (const QByteArray &line : output.value_or(QByteArray()).split('\n')) {
            if (!line.isEmpty())
                found << QJsonDocument::fromJson(line).object();
        }
        return condition(found);
    };
    waitUntil(read, deadline);
    return found;
}

JournalInstance::Entries JournalInstance::entries(const QStringList &matches, qsizetype count,
                                                  QDeadlineTimer deadline)
{
    return entries(
        matches, [count](const Entries &found) { return found.size() >= count; }, deadline);
}

QByteArray JournalInstance::bytes(const QJsonValue &field)
{
    if (!field.isArray())
        return field.toString().toUtf8();
    QByteArray result;
    for (const QJsonValue byte : field.toArray())
        result += static_cast<char>(byte.toInt());
    return result;
}

void JournalInstance::pause()
{
    m_paused = true;
    m_journald->sendSignal(SIGSTOP);
}

void JournalInstance::resume()
{
    m_journald->sendSignal(SIGCONT);
    m_paused = false;
}

void JournalInstance::forget()
{
    QDir folder(outsidePath(journalDirectory()));
    for (const QString &each : folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot))
        QDir(folder.filePath(each)).removeRecursively();
}

void JournalInstance::kill()
{
    m_journald->kill();
    m_journald->waitForFinished();
}

} // namespace dtlsd::test
