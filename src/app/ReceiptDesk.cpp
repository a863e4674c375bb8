// SPDX-License-Identifier: Apache-2.0
#include "app/ReceiptDesk.h"

#include <utility>

namespace dtlsd {

void ReceiptDesk::batchEnded()
{
    m_mailbox.post([this, settled = std::exchange(m_settled, {})] { handOut(settled); });
}

void ReceiptDesk::handOut(const std::vector<bool> &settled)
{
    std::vector<Receipt> accepted;
    accepted.reserve(settled.size());
    for (const bool isAccepted : settled) {
        if (isAccepted)
            accepted.push_back(std::move(m_waiting.front()));
        else
            withhold();
        m_waiting.pop_front();
    }
    m_deliver(accepted);
}

} // namespace dtlsd
