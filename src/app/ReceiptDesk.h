// SPDX-License-Identifier: Apache-2.0
//
// ReceiptDesk: holds a worker's receipts until the log has settled the entries they belong to.
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
    /// Called in the mailbox's thread with the receipts whose entries were kept.
    using Deliver = std::function<void(std::span<const Receipt>)>;

    ReceiptDesk(Mailbox &mailbox, Deliver deliver)
        : m_mailbox(mailbox)
        , m_deliver(std::move(deliver))
    {
    }

    // In the mailbox's thread:
    /// Holds @p receipt. Returns the ticket of its log entry, whose listener is this desk.
    [[nodiscard]] std::uint64_t expect(Receipt receipt);
    /// Drops the receipt: its entry was lost.
    void withhold(std::uint64_t ticket);

    /// Whether the log has settled every entry that a receipt waits for.
    [[nodiscard]] bool isClear() const { return m_waiting.empty(); }
    /// How many receipts were withheld, as the log has not kept their entries.
    [[nodiscard]] std::uint64_t withheld() const { return m_withheld; }

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
    const Deliver m_deliver;
    // Of the mailbox's thread:
    std::unordered_map<std::uint64_t, Receipt> m_waiting; // by ticket
    std::uint64_t m_tickets = 0;                          // how many were given out
    std::uint64_t m_withheld = 0;
    // Of the log thread:
    std::vector<Settled> m_settled;
};

} // namespace dtlsd
