// SPDX-License-Identifier: Apache-2.0
//
// ManagerStore: systemd's end of $NOTIFY_SOCKET, with the descriptors that a service leaves there
// (FDSTORE=1), as systemd 252 does it:
//  - what comes from another process than the service's main one is ignored (NotifyAccess=main);
//  - beyond FileDescriptorStoreMax= descriptors are closed, and the service is not told;
//  - one that is an open file description stored already is closed, whatever its name;
//  - without FDPOLL=0 a descriptor with an error or a hangup is closed;
//  - FDSTOREREMOVE=1 closes all of a name;
//  - the descriptor beside BARRIER=1 is closed when all before it has been done.
#pragma once

#include "support/PassedDescriptor.h"

#include <QByteArray>
#include <QList>
#include <QSocketNotifier>
#include <QTemporaryDir>

#include <cstddef>
#include <memory>
#include <vector>

#include <sys/types.h>

namespace dtlsd::test {

class ManagerStore
{
public:
    struct Message
    {
        QList<QByteArray> lines;
        std::size_t descriptors = 0;

        [[nodiscard]] bool says(const QByteArray &line) const { return lines.contains(line); }
        /// The value of the first line `name=value`; null without one.
        [[nodiscard]] QByteArray value(const QByteArray &name) const;
    };

    /// @p most is FileDescriptorStoreMax=.
    explicit ManagerStore(std::size_t most);
    ManagerStore(const ManagerStore &) = delete;
    ManagerStore &operator=(const ManagerStore &) = delete;
    ~ManagerStore();

    /// The value of $NOTIFY_SOCKET.
    [[nodiscard]] QString path() const;
    /// From now on only that process is listened to.
    void setMainProcess(pid_t process) { m_mainProcess = process; }
    /// Does what messages say that have come by now. The event loop calls it too.
    void receive();

    /// What is stored, in the order in which systemd passes it: the last one first. They are the
    /// store's.
    [[nodiscard]] const std::vector<PassedDescriptor> &stored();
    /// Those whose names begin with @p prefix.
    [[nodiscard]] std::vector<PassedDescriptor> stored(const QByteArray &prefix);
    /// Puts another descriptor, which is the store's from now on, in the place of a stored one.
    void replace(int stored, int other);
    /// Stores @p passed, which is the store's from now on, whatever it is.
    void add(PassedDescriptor passed);
    /// Closes what is stored: the service has stopped.
    void release();

    /// All of the main processes so far, oldest first.
    [[nodiscard]] const std::vector<Message> &messages();
    /// Descriptors that found no room.
    [[nodiscard]] int refused();

private:
    using Descriptors = std::vector<int>;

    bool receiveOne();
    void act(const Message &message, Descriptors &descriptors);
    void store(const Message &message, Descriptors &descriptors);
    [[nodiscard]] bool isStored(int descriptor) const;
    void dropBroken();

    const QTemporaryDir m_directory;
    const std::size_t m_most;
    const int m_socket;
    pid_t m_mainProcess = -1;
    std::vector<Message> m_messages;
    std::vector<PassedDescriptor> m_stored;
    std::vector<int> m_polled; // of them
    int m_refused = 0;
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace dtlsd::test
