// SPDX-License-Identifier: Apache-2.0
//
// TalkingFleet: devices that talk all the time in one session each, whatever is done to the server
// meanwhile. The server has to echo. Half of them have connection IDs.
#pragma once

#include "Administrator.h"

#include "core/SocketAddress.h"
#include "support/ChildProcess.h"
#include "support/TalkingDevice.h"

#include <QByteArray>
#include <QStringList>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace dtlsd::test {

class TalkingFleet
{
public:
    /// Sections of dtlsd.ini with the identities of @p size devices.
    [[nodiscard]] static QByteArray identities(int size);

    explicit TalkingFleet(int size);

    /// They open their sessions and talk. false: not all of them.
    [[nodiscard]] bool start(const SocketAddress &server);
    /// Waits until every device has receipts for two more messages. false: one has not.
    [[nodiscard]] bool goRound();
    /// They finish their last messages and are silent. false: one has no receipt.
    [[nodiscard]] bool settle();
    /// Waits until all sessions were ended by a close_notify. false: see trouble().
    [[nodiscard]] bool hearGoodbye();

    [[nodiscard]] int size() const { return static_cast<int>(m_devices.size()); }
    /// The devices that were waited for in vain, one line each.
    [[nodiscard]] QByteArray trouble() const;
    /// The longest time from a message to its receipt.
    [[nodiscard]] std::chrono::milliseconds longestWait() const;
    /// What must not happen, one line each: a device whose session ended, or that has receipts for
    /// what it never sent; and by @p datagrams, the entries of those, a second session of a device,
    /// a receipt without an entry, two entries for one datagram, sequence numbers that do not grow.
    [[nodiscard]] QStringList breaches(const Administrator::Entries &datagrams) const;

private:
    using Condition = std::function<bool(const TalkingDevice *)>;
    using Devices = std::vector<const TalkingDevice *>;

    /// What a device talks through: it counts refusals.
    [[nodiscard]] MakeLink linkMaker(int device);
    [[nodiscard]] bool waitForEach(const Condition &condition);

    int m_refusals = 0;
    std::vector<std::unique_ptr<TalkingDevice>> m_devices;
    Devices m_trouble;
};

} // namespace dtlsd::test
