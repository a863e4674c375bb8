// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"

#include <utility>

namespace dtlsd {

std::uint64_t ReceiptDesk::expect(Receipt receipt)
{
    m_waiting.emplace(m_tickets, std::move(receipt));
    return m_tickets++;
}

void ReceiptDesk::withhold(std::uint64_t ticket)
{
    m_waiting.erase(ticket);
    ++m_withheld;
}

void ReceiptDesk::batchEnded()
{
    m_mailbox.post([this, settled = std::exchange(m_settled, {})] { handOut(settled); });
}

void ReceiptDesk::handOut(const std::vector<Settled> &settled)
{
    std::vector<Receipt> accepted;
    accepted.reserve(settled.size());
    for (const auto &[ticket, isAccepted] : settled) {
        if (isAccepted)
            accepted.push_back(std::move(m_waiting.extract(ticket).mapped()));
        else
            withhold(ticket);
    }
    m_deliver(accepted);
}

} // namespace dtlsd
