// SPDX-License-Identifier: Apache-2.0
//
// SessionMemory: where the sessions of one worker have their AssociationState: in slots of a
// SessionStore, which outlives the process, or else in pages of this process. Neither is in a core
// dump. KeptState is the place of one session.
#pragma once

#include "core/SecretPages.h"
#include "dtls/store/SessionStore.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

namespace dtlsd {

class SessionMemory;
struct TimeSource;

/// Owns the AssociationState of one session, and, if that is in a slot, keeps the rest of the slot
/// up to date. Without a slot, what only the next process needs is not noted.
class KeptState
{
public:
    /// A slot that was taken over.
    KeptState(SessionMemory &memory, SessionSlot &slot);
    /// A new place; bytes of keys are 0.
    explicit KeptState(SessionMemory &memory);
    KeptState(KeptState &&other) noexcept;
    KeptState &operator=(KeptState &&other) = delete;
    ~KeptState();

    [[nodiscard]] AssociationState &operator*() const { return *m_state; }
    [[nodiscard]] AssociationState *operator->() const { return m_state; }

    /// The handshake has used the key with that mark.
    void noteKey(const SessionSlot::KeyMark &mark);
    /// The session, at @p place, is open.
    void open(const SessionInfo &session, const SessionSlot::Place &place, SessionSlot::Time now);
    void moveTo(const SessionSlot::Place &place);
    void noteReceived(const Traffic &received, const TimeSource &time);
    void noteSent(const Traffic &sent);
    /// A word for the owner of sockets to local services, which a next process gets back; 0: none.
    void noteService(std::uint64_t service);
    [[nodiscard]] std::uint64_t service() const { return m_service; }
    /// Whether these are called for.
    [[nodiscard]] bool isInSlot() const { return m_slot != nullptr; }

private:
    SessionMemory &m_memory;
    SessionSlot *m_slot = nullptr;
    AssociationState *m_state; // of m_slot, or of the memory's own
    std::uint64_t m_service = 0;
};

class SessionMemory
{
public:
    explicit SessionMemory(int worker)
        : m_worker(worker)
    {
    }

    /// New sessions get slots of @p store, if it is the worker's; others only have sessions that
    /// were taken over.
    void add(std::unique_ptr<SessionStore> store) { m_stores.push_back(std::move(store)); }
    [[nodiscard]] const std::vector<std::unique_ptr<SessionStore>> &stores() const
    {
        return m_stores;
    }
    /// See SessionStore::leave().
    void leave();

private:
    friend KeptState;

    [[nodiscard]] SessionSlot *claim();
    [[nodiscard]] SessionStore &storeOf(const SessionSlot &slot) const;

    const int m_worker;
    std::vector<std::unique_ptr<SessionStore>> m_stores;
    SecretPages m_pages;
    std::pmr::unsynchronized_pool_resource m_own{&m_pages};
};

} // namespace dtlsd
