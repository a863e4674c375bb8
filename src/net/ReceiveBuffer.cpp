// SPDX-License-Identifier: Apache-2.0
#include "net/ReceiveBuffer.h"

namespace dtlsd {

ReceiveBuffer::ReceiveBuffer(std::size_t slots)
    : m_slots(slots)
    , m_bytes(std::make_unique_for_overwrite<char[]>(slots * maximumDatagram))
    , m_messages(slots)
{
    received.reserve(slots);
    for (std::size_t i = 0; i < slots; ++i)
        m_messages.setData(i, room(i));
}

std::span<char> ReceiveBuffer::room(std::size_t slot)
{
    return {m_bytes.get() + slot * maximumDatagram, maximumDatagram};
}

} // namespace dtlsd
