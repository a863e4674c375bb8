// SPDX-License-Identifier: Apache-2.0
//
// SessionStore: the sessions of one worker where they outlive the process: slots in a memfd, mapped
// shared, which the service manager keeps (systemd.exec's descriptor store). It is in no file, no
// swap (MemorySwapMax= of the unit) and no core dump.
//
// The process may be killed after any instruction, and what it has written stands:
//
//   a record leaves         after its sequence number was taken (KeptNumber)
//   plaintext is returned   after the window has its record; after a kill all up to the window's
//                           top is refused, as the bits below may be older
//   a session is opened     its slot is filled, then marked valid, then our Finished leaves
//   a session moves         to another place: written to the header, then to the slot, so that one
//                           of both is whole; then what answers the record leaves
//   a session ends          its phase is Closed, then its close_notify leaves; then the slot is not
//                           valid, then wiped
//
// A session never changes its slot, so it is valid in one at most. A store belongs to a number of a
// worker, that in the connection IDs of its sessions; a process with fewer workers gives several
// stores to one of them.
#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"
#include "dtls/store/SessionSlot.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace dtlsd {

class SessionStore
{
public:
    /// A new one for worker number @p worker, with room for @p slots sessions; memory is taken by
    /// those that are used.
    static Result<std::unique_ptr<SessionStore>> make(std::uint8_t worker, std::size_t slots);
    /// One of a former process, for this process alone; the error says why it cannot be used. Two
    /// descriptors of one store must not be passed, nor one of them be closed: that would end the
    /// lock (fcntl(2), F_SETLK).
    static Result<std::unique_ptr<SessionStore>> open(Descriptor descriptor);

    SessionStore(const SessionStore &) = delete;
    SessionStore &operator=(const SessionStore &) = delete;
    ~SessionStore();

    [[nodiscard]] int descriptor() const { return m_descriptor.number(); }
    [[nodiscard]] std::uint8_t worker() const;
    [[nodiscard]] std::size_t size() const { return m_slots.size(); }

    /// Wipes the sessions that are in more than one slot of @p stores, by the key that seals: who
    /// copied them may have sealed records. Returns how many.
    static std::int64_t wipeTwins(std::span<const std::unique_ptr<SessionStore>> stores);

    /// What a former process has left: calls @p take with each sound slot, and wipes the others.
    /// Returns how many sessions were in slots that are damaged.
    std::int64_t takeStock(const std::function<void(SessionSlot &)> &take);
    /// The sessions of takeStock() are taken over, or have ended. A store with which three
    /// processes in a row did not get that far is not opened again.
    void settle();

    struct Rested
    {
        std::uint64_t service = 0; ///< SessionSlot::service
        SessionSlot::Time since{};
    };
    /// Of sessions that have ended: not all, where slots are scarce.
    [[nodiscard]] std::vector<Rested> resting() const;

    /// An empty slot; nullptr: there is none.
    [[nodiscard]] SessionSlot *claim();
    /// Wipes @p slot, which was claimed or taken.
    void release(SessionSlot &slot);
    [[nodiscard]] bool has(const SessionSlot &slot) const;

    /// Changes the place of a valid slot.
    void move(SessionSlot &slot, SessionSlot::Place place);

    /// Leaves all as it is now to the next process: what this one writes from now on, it writes to
    /// a copy of its own. Nothing may be sealed afterwards.
    void leave();

private:
    struct Header;

    SessionStore(Descriptor descriptor, void *mapped, std::size_t slots);
    [[nodiscard]] Header &header() const;
    static Result<> lock(int descriptor);
    static Result<void *> map(int descriptor, std::size_t size);
    void completeMove();

    Descriptor m_descriptor;
    std::span<SessionSlot> m_slots;
    std::vector<std::uint32_t> m_free;   // below the header's `used`
    std::deque<std::uint32_t> m_resting; // likewise; the one that ended first comes first
};

} // namespace dtlsd
