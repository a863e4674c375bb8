// SPDX-License-Identifier: Apache-2.0
#include "dtls/store/SessionStore.h"

#include "dtls/TimeSource.h"

#include <QString>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace dtlsd {

namespace {

constexpr std::array<char, 8> itsMark{'d', 't', 'l', 's', 'd', ' ', 's', 's'};
constexpr std::size_t headerSize = 4096; // bytes
constexpr std::size_t mostSlots = std::size_t{1} << 24;
constexpr std::uint32_t mostAttempts = 3;
constexpr unsigned seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

constexpr std::size_t sizeFor(std::size_t slots)
{
    return headerSize + slots * sizeof(SessionSlot);
}

Error systemError(const char *what)
{
    return {QStringLiteral("%1: %2").arg(
        QLatin1StringView(what), QString::fromStdString(std::generic_category().message(errno)))};
}

void wipe(SessionSlot &slot)
{
    slot.isValid = 0;
    OPENSSL_cleanse(&slot, offsetof(SessionSlot, isValid));
}

/// Of a free slot.
bool isResting(const SessionSlot &slot)
{
    return (slot.service & SessionSlot::rests) != 0 &&
           TimeSource::sinceBoot() - SessionSlot::Time(slot.touched) < SessionSlot::rest;
}

} // namespace

struct SessionStore::Header
{
    // Does not change:
    std::array<char, 8> mark = itsMark;
    std::uint32_t layout = SessionSlot::layout;
    std::uint32_t slotSize = sizeof(SessionSlot);
    std::uint64_t slots = 0;
    std::uint64_t worker = 0;
    SessionSlot::Check check = 0; // of these

    KeptNumber used = 0;     // slots that were ever claimed
    KeptNumber attempts = 0; // of processes to take it over, since the last that did
    KeptNumber moving = 0;   // the number of a slot and 1: it is moving there; 0: none is
    SessionSlot::Place there;

    [[nodiscard]] SessionSlot::Check rightCheck() const
    {
        return SessionSlot::checkOf(
            std::as_bytes(std::span(this, 1)).first(offsetof(Header, check)));
    }
};

SessionStore::SessionStore(Descriptor descriptor, void *mapped, std::size_t slots)
    : m_descriptor(std::move(descriptor))
    , m_slots(reinterpret_cast<SessionSlot *>(static_cast<std::byte *>(mapped) + headerSize), slots)
{
    static_assert(sizeof(Header) <= headerSize);
}

SessionStore::~SessionStore()
{
    munmap(&header(), sizeFor(m_slots.size()));
}

SessionStore::Header &SessionStore::header() const
{
    return *reinterpret_cast<Header *>(reinterpret_cast<std::byte *>(m_slots.data()) - headerSize);
}

std::uint8_t SessionStore::worker() const
{
    return static_cast<std::uint8_t>(header().worker);
}

Result<> SessionStore::lock(int descriptor)
{
    // Not flock(2): the service manager's duplicate shares its lock with every process.
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(descriptor, F_SETLK, &whole) == 0)
        return success();
    if (errno != EAGAIN && errno != EACCES)
        return systemError("F_SETLK");
    struct flock holder = whole;
    const bool isKnown =
        fcntl(descriptor, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK && holder.l_pid > 0;
    return Error{isKnown ? QStringLiteral("process %1 still uses it").arg(holder.l_pid)
                         : QStringLiteral("another process still uses it")};
}

Result<void *> SessionStore::map(int descriptor, std::size_t size)
{
    void *mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED)
        return systemError("mmap");
    if (madvise(mapped, size, MADV_DONTDUMP) == 0)
        return mapped;
    const Error error = systemError("madvise");
    munmap(mapped, size);
    return error;
}

Result<std::unique_ptr<SessionStore>> SessionStore::make(std::uint8_t worker, std::size_t slots)
{
    slots = std::min(slots, mostSlots);
    Descriptor descriptor(memfd_create("dtlsd-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!descriptor.isOpen())
        return systemError("memfd_create");
    if (ftruncate(descriptor.number(), static_cast<off_t>(sizeFor(slots))) != 0)
        return systemError("ftruncate");
    if (fcntl(descriptor.number(), F_ADD_SEALS, seals) != 0)
        return systemError("F_ADD_SEALS");
    if (Result<> locked = lock(descriptor.number()); !locked)
        return locked.error();
    const auto mapped = map(descriptor.number(), sizeFor(slots));
    if (!mapped)
        return mapped.error();
    auto *header = new (mapped.value()) Header;
    header->slots = slots;
    header->worker = worker;
    header->check = header->rightCheck();
    return std::unique_ptr<SessionStore>(
        new SessionStore(std::move(descriptor), mapped.value(), slots));
}

Result<std::unique_ptr<SessionStore>> SessionStore::open(Descriptor descriptor)
{
    struct stat status = {};
    const int sealed = fcntl(descriptor.number(), F_GET_SEALS);
    if (sealed < 0 || fstat(descriptor.number(), &status) != 0)
        return Error{QStringLiteral("it is no memfd")};
    if ((static_cast<unsigned>(sealed) & seals) != seals)
        return Error{QStringLiteral("its size is not sealed")};
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < sizeFor(0) || size > sizeFor(mostSlots))
        return Error{QStringLiteral("it has %1 bytes; %2 to %3 are accepted")
                         .arg(status.st_size)
                         .arg(sizeFor(0))
                         .arg(sizeFor(mostSlots))};
    if (Result<> locked = lock(descriptor.number()); !locked)
        return locked.error();
    const auto mapped = map(descriptor.number(), size);
    if (!mapped)
        return mapped.error();
    const auto unmapped = [&](const QString &why) {
        munmap(mapped.value(), size);
        return Error{why};
    };
    auto *header = static_cast<Header *>(mapped.value());
    if (header->mark != itsMark)
        return unmapped(QStringLiteral("it is not one of dtlsd"));
    if (header->layout != SessionSlot::layout)
        return unmapped(QStringLiteral("it has layout %1; %2 is accepted")
                            .arg(header->layout)
                            .arg(SessionSlot::layout));
    if (header->check != header->rightCheck() || header->slotSize != sizeof(SessionSlot) ||
        size != sizeFor(header->slots) || header->worker > 0xff || !header->used.isSound() ||
        header->used > header->slots || !header->attempts.isSound())
        return unmapped(QStringLiteral("it is damaged"));
    if (header->attempts >= mostAttempts)
        return unmapped(QStringLiteral("%1 processes in a row have ended while they took it over")
                            .arg(std::uint64_t{header->attempts}));
    std::unique_ptr<SessionStore> opened(
        new SessionStore(std::move(descriptor), mapped.value(), header->slots));
    opened->completeMove();
    return opened;
}

/// If the process was killed in the middle of a move.
void SessionStore::completeMove()
{
    Header &its = header();
    const std::uint64_t moving = its.moving;
    if (its.moving.isSound() && moving > 0 && moving <= its.used &&
        its.there.check == its.there.rightCheck())
        m_slots[moving - 1].place = its.there;
    its.moving = 0;
}

std::int64_t SessionStore::wipeTwins(std::span<const std::unique_ptr<SessionStore>> stores)
{
    std::vector<SessionSlot *> valid;
    for (const auto &store : stores) {
        for (SessionSlot &slot : store->m_slots.first(store->header().used)) {
            if (slot.isValid == 1)
                valid.push_back(&slot);
        }
    }
    const auto isLess = [](const SessionSlot *one, const SessionSlot *other) {
        return std::ranges::lexicographical_compare(one->association.write.key,
                                                    other->association.write.key);
    };
    std::ranges::sort(valid, isLess);
    std::int64_t wiped = 0;
    for (auto first = valid.begin(); first != valid.end();) {
        const auto last = std::ranges::upper_bound(first, valid.end(), *first, isLess);
        if (last - first > 1) {
            wiped += last - first;
            std::for_each(first, last, [](SessionSlot *slot) { wipe(*slot); });
        }
        first = last;
    }
    return wiped;
}

std::int64_t SessionStore::takeStock(const std::function<void(SessionSlot &)> &take)
{
    ++header().attempts;
    std::int64_t damaged = 0;
    for (std::uint32_t i = static_cast<std::uint32_t>(header().used); i-- > 0;) {
        SessionSlot &slot = m_slots[i];
        if (slot.isSound() && slot.association.phase == AssociationState::Phase::Open) {
            if (slot.windowCheck != slot.rightWindowCheck())
                slot.association.window.seen = ~std::uint64_t{0};
            take(slot);
            continue;
        }
        // One that is Closed, or no longer valid, or was never, holds no session.
        const bool holdsOne =
            !slot.isValid.isSound() ||
            (slot.isValid != 0 && slot.association.phase != AssociationState::Phase::Closed);
        damaged += holdsOne ? 1 : 0;
        release(slot);
    }
    return damaged;
}

void SessionStore::settle()
{
    header().attempts = 0;
}

std::vector<SessionStore::Rested> SessionStore::resting() const
{
    std::vector<Rested> found;
    for (const SessionSlot &slot : m_slots.first(header().used)) {
        if (slot.isValid == 0 && isResting(slot))
            found.push_back({slot.service, SessionSlot::Time(slot.touched)});
    }
    return found;
}

SessionSlot *SessionStore::claim()
{
    const bool isFull = header().used == m_slots.size();
    if (!m_resting.empty() &&
        (!isResting(m_slots[m_resting.front()]) || (isFull && m_free.empty()))) {
        m_free.push_back(m_resting.front());
        m_resting.pop_front();
    }
    if (!m_free.empty()) {
        const std::uint32_t place = m_free.back();
        m_free.pop_back();
        return new (&m_slots[place]) SessionSlot;
    }
    if (isFull)
        return nullptr;
    auto *slot = new (&m_slots[header().used]) SessionSlot;
    ++header().used;
    return slot;
}

void SessionStore::release(SessionSlot &slot)
{
    const std::uint64_t service = slot.service;
    const std::int64_t ended = slot.isValid == 0 ? slot.touched : TimeSource::sinceBoot().count();
    wipe(slot);
    if ((service & SessionSlot::rests) != 0) {
        slot.service = service;
        slot.touched = ended;
    }
    const auto place = static_cast<std::uint32_t>(&slot - m_slots.data());
    if (isResting(slot))
        m_resting.push_back(place);
    else
        m_free.push_back(place);
}

bool SessionStore::has(const SessionSlot &slot) const
{
    return &slot >= m_slots.data() && &slot < m_slots.data() + m_slots.size();
}

void SessionStore::move(SessionSlot &slot, SessionSlot::Place place)
{
    place.check = place.rightCheck();
    Header &its = header();
    its.there = place;
    its.moving = static_cast<std::uint64_t>(&slot - m_slots.data()) + 1;
    std::atomic_signal_fence(std::memory_order_seq_cst); // the compiler may not begin earlier
    slot.place = place;
    its.moving = 0;
}

void SessionStore::leave()
{
    for (SessionSlot &slot : m_slots.first(header().used)) {
        if (slot.isValid == 1)
            slot.windowCheck = slot.rightWindowCheck();
    }
    // What was written is in the memfd; from now on these pages are a private view of it.
    void *const start = &header();
    if (mmap(start, sizeFor(m_slots.size()), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
             m_descriptor.number(), 0) != start)
        std::terminate(); // as if killed, which leaves the store as it is
    madvise(start, sizeFor(m_slots.size()), MADV_DONTDUMP);
}

} // namespace dtlsd
