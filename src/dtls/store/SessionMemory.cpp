// SPDX-License-Identifier: Apache-2.0
#include "dtls/store/SessionMemory.h"

#include "dtls/TimeSource.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

namespace dtlsd {

KeptState::KeptState(SessionMemory &memory, SessionSlot &slot)
    : m_memory(memory)
    , m_slot(&slot)
    , m_state(&slot.association)
    , m_service(slot.service)
{
}

KeptState::KeptState(SessionMemory &memory)
    : m_memory(memory)
    , m_slot(memory.claim())
    , m_state(m_slot
                  ? &m_slot->association
                  : std::pmr::polymorphic_allocator<>(&memory.m_own).new_object<AssociationState>())
{
}

KeptState::KeptState(KeptState &&other) noexcept
    : m_memory(other.m_memory)
    , m_slot(std::exchange(other.m_slot, nullptr))
    , m_state(std::exchange(other.m_state, nullptr))
    , m_service(other.m_service)
{
}

KeptState::~KeptState()
{
    if (m_slot) {
        m_memory.storeOf(*m_slot).release(*m_slot);
    } else if (m_state) {
        OPENSSL_cleanse(m_state, sizeof *m_state);
        std::pmr::polymorphic_allocator<>(&m_memory.m_own).delete_object(m_state);
    }
}

void KeptState::noteKey(const SessionSlot::KeyMark &mark)
{
    if (m_slot)
        m_slot->key = mark;
}

void KeptState::open(const SessionInfo &session, const SessionSlot::Place &place,
                     SessionSlot::Time now)
{
    if (!m_slot)
        return;
    m_slot->id = session.id;
    m_slot->established = m_slot->touched = now.count();
    m_slot->identitySize = static_cast<std::uint8_t>(session.identity.size());
    std::ranges::copy(session.identity, m_slot->identity.begin());
    m_slot->place = place;
    m_slot->place.check = place.rightCheck();
    m_slot->check = m_slot->rightCheck();
    m_slot->isValid = 1;
}

void KeptState::moveTo(const SessionSlot::Place &place)
{
    if (m_slot)
        m_memory.storeOf(*m_slot).move(*m_slot, place);
}

void KeptState::noteReceived(const Traffic &received, const TimeSource &time)
{
    if (!m_slot)
        return;
    m_slot->touched = time.bootTime().count();
    m_slot->received = received;
}

void KeptState::noteSent(const Traffic &sent)
{
    if (m_slot)
        m_slot->sent = sent;
}

void KeptState::noteService(std::uint64_t service)
{
    m_service = service;
    if (m_slot)
        m_slot->service = service;
}

SessionSlot *SessionMemory::claim()
{
    for (const auto &store : m_stores) {
        SessionSlot *slot = store->worker() == m_worker ? store->claim() : nullptr;
        if (slot)
            return slot;
    }
    return nullptr;
}

SessionStore &SessionMemory::storeOf(const SessionSlot &slot) const
{
    return **std::ranges::find_if(m_stores, [&](const auto &store) { return store->has(slot); });
}

void SessionMemory::leave()
{
    for (const auto &store : m_stores)
        store->leave();
}

} // namespace dtlsd
