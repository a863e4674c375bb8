// SPDX-License-Identifier: Apache-2.0
//
// ServiceManager: runs a dtlsd as systemd runs a service of Type=notify with
// FileDescriptorStoreMax=, process after process: each gets what the one before has left in the
// store. The log is that of all its processes.
#pragma once

#include "support/DaemonProcess.h"
#include "support/ManagerStore.h"

#include <QByteArray>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace dtlsd::test {

class ServiceManager
{
public:
    /// The exit status that asks for the next process.
    static constexpr int restartStatus = 75;

    struct Options
    {
        std::size_t storeMax = 64; ///< FileDescriptorStoreMax=
        /// Of a socket unit: each process gets them, before what is stored. The caller closes them
        /// in the end.
        std::vector<PassedDescriptor> sockets = {};
    };

    /// @p config is the text of the INI file.
    explicit ServiceManager(const QByteArray &config);
    ServiceManager(const QByteArray &config, Options options);

    [[nodiscard]] DaemonProcess &daemon() { return m_daemon; }
    [[nodiscard]] ManagerStore &store() { return m_store; }

    /// Starts the next process, and returns at once.
    bool launch();
    /// launch(), and waits for `started` and READY=1 of this process. false: it has ended before.
    [[nodiscard]] bool start(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Sends @p signal, and waits until the process has ended, however; the store stays. false: it
    /// still ran at @p deadline.
    [[nodiscard]] bool end(int signal, QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Lets the process sleep for @p sleep, so that it has much to do, and end()s it by SIGKILL
    /// that much @p later.
    [[nodiscard]] bool endAtWork(std::chrono::milliseconds sleep, std::chrono::microseconds later);
    /// Asks for a restart at the control socket, and waits until the process has ended with
    /// restartStatus; the store stays.
    [[nodiscard]] bool endByRestart(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// SIGTERM, and the store is released after it. Returns as DaemonProcess::stop() does.
    [[nodiscard]] std::optional<int> stop(QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// Launches @p other with what is stored while the process before still runs, which is listened
    /// to no more.
    bool launchBeside(DaemonProcess &other);

private:
    void introduce(DaemonProcess &daemon);
    void follow(DaemonProcess &daemon);
    [[nodiscard]] bool isReady();

    const Options m_options;
    ManagerStore m_store;
    DaemonProcess m_daemon;           // ends before its store does
    std::size_t m_messagesBefore = 0; // of this process
    qsizetype m_startsBefore = 0;
};

} // namespace dtlsd::test
