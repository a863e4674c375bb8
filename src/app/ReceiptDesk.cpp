// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"

#include <utility>

namespace dtlsd {

std::uint64_t ReceiptDesk::hold(Held held)
{
    held.datagram.ciphertext.clear(); // only the log needs it
    m_held.emplace(m_tickets, std::move(held));
    return m_tickets++;
}

void ReceiptDesk::lose(std::uint64_t ticket)
{
    const Held held = std::move(m_held.extract(ticket).mapped());
    m_settle({}, {&held, 1});
}

void ReceiptDesk::batchEnded()
{
    m_mailbox.post([this, settled = std::exchange(m_settled, {})] { handOut(settled); });
}

void ReceiptDesk::handOut(const std::vector<Settled> &settled)
{
    std::vector<Held> kept;
    std::vector<Held> lost;
    kept.reserve(settled.size());
    for (const auto &[ticket, isAccepted] : settled)
        (isAccepted ? kept : lost).push_back(std::move(m_held.extract(ticket).mapped()));
    m_settle(kept, lost);
}

} // namespace dtlsd
