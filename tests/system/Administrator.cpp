// SPDX-License-Identifier: Apache-2.0
#include "Administrator.h"

#include <QFile>
#include <QFileInfo>
#include <QHostAddress>
#include <QJsonDocument>
#include <QTest>

#include <chrono>
#include <csignal>

namespace dtlsd::test {

namespace {

using namespace std::chrono_literals;

constexpr auto timeToBuild = 8min; // unless that was done before
constexpr auto timeToInstall = 1min;

QString quoted(QStringList arguments)
{
    for (QString &argument : arguments)
        argument = u'\'' + argument + u'\'';
    return arguments.join(u' ');
}

} // namespace

SocketAddress Administrator::server()
{
    return {QHostAddress(QHostAddress::LocalHost), 22334};
}

Administrator::Outcome Administrator::buildPackages()
{
    ChildProcess builder;
    const bool ended =
        builder.run({QStringLiteral(DTLSD_SOURCE_DIR "/tests/system/packages"), {}}) &&
        builder.waitForEnd(QDeadlineTimer(timeToBuild));
    if (ended && builder.exitCode() == 0)
        return {0, builder.readAllStandardOutput().trimmed()};
    return {ended ? builder.exitCode() : -1, builder.readAllStandardError().right(1000)};
}

Administrator::Outcome Administrator::install(const QString &package)
{
    const QString there = QStringLiteral("/tmp/") + QFileInfo(package).fileName();
    if (!QFile::copy(package, m_machine.outsidePath(there)))
        return {-1, "cannot be copied: " + package.toUtf8()};
    return m_machine.run(QStringLiteral("apt-get install --quiet=2 ") + there,
                         QDeadlineTimer(timeToInstall));
}

Administrator::Outcome Administrator::systemctl(const QString &arguments)
{
    Outcome outcome = m_machine.run(QStringLiteral("systemctl ") + arguments);
    if (!outcome.isGood())
        outcome.said += m_machine
                            .run(QStringLiteral("journalctl --sync; journalctl "
                                                "--unit='dtlsd*' --lines=8 --output=cat"))
                            .said;
    return outcome;
}

Administrator::Outcome Administrator::configure(const QByteArray &text)
{
    if (m_machine.write(QStringLiteral("/etc/dtlsd/dtlsd.ini"), text))
        return {0, {}};
    return {-1, "cannot write dtlsd.ini"};
}

Administrator::Outcome Administrator::addDropIn(const QString &name, const QByteArray &text)
{
    const QString folder = QStringLiteral("/etc/systemd/system/dtlsd.service.d/");
    Outcome made = m_machine.run(QStringLiteral("mkdir -p ") + folder);
    if (made.isGood() && !m_machine.write(folder + name, text))
        return {-1, "cannot write " + name.toUtf8()};
    return made.isGood() ? m_machine.run(QStringLiteral("systemctl daemon-reload")) : made;
}

Administrator::Outcome Administrator::addExampleDropIn(const QString &name)
{
    return m_machine.run(
        QStringLiteral("install -D -m 644 -t /etc/systemd/system/dtlsd.service.d/ "
                       "/usr/share/doc/dtlsd/examples/dtlsd.service.d/%1; systemctl daemon-reload")
            .arg(name));
}

Administrator::Outcome Administrator::startAfresh()
{
    const Outcome cleared = m_machine.run(QStringLiteral("systemctl stop 'dtlsd*'\n"
                                                         "rm -rf /etc/systemd/system/dtlsd*.d\n"
                                                         "systemctl daemon-reload\n"
                                                         "systemctl reset-failed"));
    return cleared.isGood() ? systemctl(QStringLiteral("start dtlsd")) : cleared;
}

QString Administrator::property(const QString &name, const QString &unit) const
{
    return QString::fromUtf8(
        m_machine.run(QStringLiteral("systemctl show --value --property=%1 %2").arg(name, unit))
            .said.trimmed());
}

pid_t Administrator::process() const
{
    pid_t found = 0;
    const auto isFound = [&] { // a parent's list of children is not complete while some of them end
        found = m_machine.outsideId(property(QStringLiteral("MainPID")).toInt());
        return found > 0;
    };
    waitUntil(isFound, QDeadlineTimer(patience));
    return found;
}

bool Administrator::sendSignal(pid_t process, int signal)
{
    return process > 0 && kill(process, signal) == 0;
}

bool Administrator::waitForRestart(pid_t before) const
{
    const auto isBack = [&] {
        const pid_t now = process();
        return now != 0 && now != before &&
               property(QStringLiteral("ActiveState")) == QStringLiteral("active");
    };
    return waitUntil(isBack, QDeadlineTimer(patience));
}

Administrator::Entries Administrator::entries(const QStringList &matches) const
{
    const Outcome outcome =
        m_machine.run(QStringLiteral("journalctl --sync; journalctl --quiet --all "
                                     "--output=json ") +
                      quoted(matches));
    Entries entries;
    for (const QByteArray &line : outcome.said.split('\n')) {
        const QJsonDocument document = QJsonDocument::fromJson(line);
        if (document.isObject())
            entries << document.object();
    }
    return entries;
}

QString Administrator::fromNowOn() const
{
    // --after-cursor= leaves out the first entry that matches, unless that of the cursor does too.
    return QStringLiteral("--since=") +
           QString::fromUtf8(m_machine.run(QStringLiteral("date +@%s.%6N")).said.trimmed());
}

QJsonObject Administrator::waitForEntry(const QStringList &matches) const
{
    Entries found;
    const auto isThere = [&] {
        found = entries(matches);
        return !found.isEmpty();
    };
    return waitUntil(isThere, QDeadlineTimer(patience)) ? found.constLast() : QJsonObject();
}

QList<QByteArray> Administrator::payloads() const
{
    return m_machine
        .run(QStringLiteral("journalctl --sync; journalctl --namespace='*' --quiet --output=cat "
                            "--output-fields=DTLSD_PAYLOAD DTLSD_EVENT=datagram-received"))
        .said.split('\n');
}

void Administrator::explainFailure() const
{
    const QString allButDatagrams =
        QStringLiteral("journalctl --sync; journalctl | grep -Ev 'message [0-9]|session "
                       "(opened|closed)' | tail -n 40");
    if (QTest::currentTestFailed())
        qInfo("%s", m_machine.run(allButDatagrams).said.constData());
}

} // namespace dtlsd::test
