// SPDX-License-Identifier: Apache-2.0
#include "support/ServiceManager.h"

#include "support/ControlPeer.h"

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

namespace dtlsd::test {

ServiceManager::ServiceManager(const QByteArray &config)
    : ServiceManager(config, Options())
{
}

ServiceManager::ServiceManager(const QByteArray &config, Options options)
    : m_options(std::move(options))
    , m_store(m_options.storeMax)
    , m_daemon(config)
{
}

void ServiceManager::introduce(DaemonProcess &daemon)
{
    daemon.setEnvironment(QStringLiteral("NOTIFY_SOCKET"), m_store.path());
    // It cannot ask the system's manager, which knows nothing of it.
    daemon.setEnvironment(QStringLiteral("DBUS_SYSTEM_BUS_ADDRESS"),
                          QStringLiteral("unix:path=/nonexistent"));
    std::vector<PassedDescriptor> passed = m_options.sockets;
    std::ranges::copy(m_store.stored(), std::back_inserter(passed));
    daemon.pass(passed);
}

void ServiceManager::follow(DaemonProcess &daemon)
{
    m_store.setMainProcess(static_cast<pid_t>(daemon.process().processId()));
}

bool ServiceManager::launch()
{
    introduce(m_daemon);
    m_messagesBefore = m_store.messages().size();
    m_startsBefore = m_daemon.events(QStringLiteral("started")).size();
    const bool launched = m_daemon.launch();
    follow(m_daemon);
    return launched;
}

bool ServiceManager::launchBeside(DaemonProcess &other)
{
    introduce(other);
    const bool launched = other.launch();
    follow(other);
    return launched;
}

bool ServiceManager::start(QDeadlineTimer deadline)
{
    if (!launch())
        return false;
    const auto isDecided = [this] { return isReady() || !m_daemon.process().isRunning(); };
    return waitUntil(isDecided, deadline) && isReady();
}

bool ServiceManager::isReady()
{
    const auto &messages = m_store.messages();
    const auto first = messages.begin() + static_cast<std::ptrdiff_t>(m_messagesBefore);
    return std::any_of(first, messages.end(),
                       [](const auto &message) { return message.says("READY=1"); }) &&
           m_daemon.events(QStringLiteral("started")).size() > m_startsBefore;
}

bool ServiceManager::end(int signal, QDeadlineTimer deadline)
{
    m_daemon.process().sendSignal(signal);
    if (!m_daemon.process().waitForEnd(deadline))
        return false;
    m_store.receive(); // systemd reads its notifications before it hears of the end
    return true;
}

bool ServiceManager::endAtWork(std::chrono::milliseconds sleep, std::chrono::microseconds later)
{
    m_daemon.process().sendSignal(SIGSTOP);
    waitUntil([] { return false; }, QDeadlineTimer(sleep));
    m_daemon.process().sendSignal(SIGCONT);
    std::this_thread::sleep_for(later);
    return end(SIGKILL);
}

bool ServiceManager::endByRestart(QDeadlineTimer deadline)
{
    ControlPeer::ask(m_daemon.controlSocket(), R"({"command":"restart"})");
    const bool ended = m_daemon.waitForExit(deadline) == restartStatus;
    m_store.receive();
    return ended;
}

std::optional<int> ServiceManager::stop(QDeadlineTimer deadline)
{
    const std::optional<int> status = m_daemon.stop(deadline);
    m_store.receive();
    m_store.release();
    return status;
}

} // namespace dtlsd::test
