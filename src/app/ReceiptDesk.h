// SPDX-License-Identifier: Apache-2.0
//
// ReceiptDesk: holds a worker's receipts until the log has settled the entries they belong to. A
// worker pushes entries in order and the log settles them in order, so the first receipt waiting
// is always the next to be settled.
#pragma once

#include "app/Mailbox.h"
#include "dtls/Events.h"
#include "log/LogQueue.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace dtlsd {

class ReceiptDesk : public AcceptanceListener
{
public:
    /// Called in the mailbox's thread with receipts whose entries were accepted.
    using Deliver = std::function<void(std::span<const Receipt>)>;

    ReceiptDesk(Mailbox &mailbox, Deliver deliver)
        : m_mailbox(mailbox)
        , m_deliver(std::move(deliver))
    {
    }

    /// In the mailbox's thread, right after the entry was pushed with this desk as its listener.
    void expect(Receipt receipt) { m_waiting.push_back(std::move(receipt)); }
    /// Instead of expect(), when the entry could not be pushed.
    void withhold() { ++m_withheld; }

    /// How many receipts were not given, since the log has lost what they are for.
    [[nodiscard]] std::uint64_t withheld() const { return m_withheld; }

    // In the log thread.
    void settled(bool accepted) override { m_settled.push_back(accepted); }
    void batchEnded() override;

private:
    void handOut(const std::vector<bool> &settled);

    Mailbox &m_mailbox;
    const Deliver m_deliver;
    std::deque<Receipt> m_waiting; // mailbox's thread
    std::uint64_t m_withheld = 0;  // the same
    std::vector<bool> m_settled;   // log thread
};

} // namespace dtlsd
