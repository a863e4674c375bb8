// SPDX-License-Identifier: Apache-2.0
//
// ReceiptDesk: holds a worker's datagrams until the log has settled their entries: nothing is
// acknowledged, nor seen by a service, that is not in the log.
#pragma once

#include "app/Mailbox.h"
#include "dtls/Events.h"
#include "log/LogQueue.h"

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

namespace dtlsd {

class ReceiptDesk : public AcceptanceListener
{
public:
    struct Held
    {
        Datagram datagram;
        bool isForwarded = false;
    };
    /// Called in the mailbox's thread with those whose entries were kept, and with those whose were
    /// not.
    using Settle = std::function<void(std::span<const Held> kept, std::span<const Held> lost)>;

    ReceiptDesk(Mailbox &mailbox, Settle settle)
        : m_mailbox(mailbox)
        , m_settle(std::move(settle))
    {
    }

    // In the mailbox's thread:
    /// Returns the ticket of its log entry, whose listener is this desk.
    [[nodiscard]] std::uint64_t hold(Held held);
    /// The log has refused the entry.
    void lose(std::uint64_t ticket);

    /// Whether the log has settled every entry.
    [[nodiscard]] bool isClear() const { return m_held.empty(); }

    // In the log thread:
    void settled(std::uint64_t ticket, bool accepted) override
    {
        m_settled.push_back({ticket, accepted});
    }
    void batchEnded() override;

private:
    struct Settled
    {
        std::uint64_t ticket = 0;
        bool isAccepted = false;
    };

    void handOut(const std::vector<Settled> &settled);

    Mailbox &m_mailbox;
    const Settle m_settle;
    // Of the mailbox's thread:
    std::unordered_map<std::uint64_t, Held> m_held; // by ticket
    std::uint64_t m_tickets = 0;                    // how many were given out
    // Of the log thread:
    std::vector<Settled> m_settled;
};

} // namespace dtlsd
