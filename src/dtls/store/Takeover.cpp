// SPDX-License-Identifier: Apache-2.0
#include "dtls/store/Takeover.h"

#include <algorithm>
#include <utility>

namespace dtlsd {

Takeover::Count Takeover::run(std::vector<std::unique_ptr<SessionStore>> stores)
{
    struct Found
    {
        SessionSlot *slot;
        std::uint8_t worker;
    };
    m_now = m_shared.time.now();
    m_bootTime = m_shared.time.bootTime();
    std::vector<Found> found;
    for (const auto &store : stores) {
        const auto take = [&](SessionSlot &slot) { found.push_back({&slot, store->worker()}); };
        m_count.damaged += store->takeStock(take);
    }
    for (auto &store : stores)
        m_sessions.memory().add(std::move(store));
    // In the order in which they were opened: of two at one path the later one replaces the other.
    std::ranges::sort(found, {}, [](const Found &it) { return it.slot->established; });
    std::vector<DtlsSession *> open;
    for (const Found &it : found) {
        DtlsSession *session = this->open(*it.slot, it.worker);
        if (!session)
            continue;
        if (const auto reason = endOf(*session, *it.slot)) {
            m_keeper.endWhenThereIsRoom(*session, *reason);
            ++m_count.ended;
        } else {
            open.push_back(session);
        }
    }
    // Then in the order in which they were last heard of.
    std::erase_if(open, [](const DtlsSession *session) { return !session->place.isIn; });
    std::ranges::sort(open, {}, [](const DtlsSession *it) { return it->place.touched; });
    for (DtlsSession *session : open)
        m_sessions.established().touch(*session, session->place.touched);
    m_count.taken = std::ssize(open);
    for (const auto &store : m_sessions.memory().stores())
        store->settle();
    return m_count;
}

/// A time of the store's, where bits may have flipped: not before the machine was started, and not
/// in the future.
Takeover::Clock::time_point Takeover::timeOf(std::int64_t stored) const
{
    const std::int64_t now = m_bootTime.count();
    return m_now - SessionSlot::Time(now - std::clamp<std::int64_t>(stored, 0, now));
}

DtlsSession *Takeover::open(SessionSlot &slot, std::uint8_t worker)
{
    const SocketAddress &peer = slot.place.path.peer;
    const AssociationState &association = slot.association;
    KeptState held(m_sessions.memory(), slot); // wipes the slot, unless the session is made
    const bool isElsewhere = association.hasId() &&
                             (association.id.worker() != worker || m_sessions.find(association.id));
    if (isElsewhere) { // found twice, or nowhere
        ++m_count.damaged;
        return nullptr;
    }
    DatagramSocket *socket = socketFor(slot);
    if (!socket) {
        ++m_count.homeless;
        return nullptr;
    }
    const Clock::time_point established = timeOf(slot.established);
    DtlsSession::Setup setup = m_handshakes.setupFor(*socket, slot.place.path);
    setup.id = slot.id;
    const DtlsSession::Left left{slot,
                                 m_handshakes.credentials().ofLeft(
                                     slot.identityView().toByteArray(), peer, slot.id, slot.key),
                                 established, std::max(timeOf(slot.touched), established)};
    auto session = std::make_unique<DtlsSession>(setup, std::move(held), left);
    if (session->state() != DtlsSession::State::Established) {
        ++m_count.damaged;
        return nullptr;
    }
    if (!association.hasId()) {
        for (DtlsSession *former : m_sessions.openAt(session->path())) {
            if (former->info().connectionId)
                continue;
            m_keeper.endWhenThereIsRoom(*former, CloseReason::Replaced);
            ++m_count.ended;
        }
    }
    return &m_keeper.openAgain(std::move(session));
}

DatagramSocket *Takeover::socketFor(const SessionSlot &slot) const
{
    const auto &sockets = m_sockets.all();
    const SocketAddress &local = slot.place.path.local;
    const auto its = std::ranges::find_if(sockets, [&](const auto &socket) {
        return socket->group() == slot.place.group && socket->receivesAt(local);
    });
    const auto any = std::ranges::find_if(
        sockets, [&](const auto &socket) { return socket->receivesAt(local); });
    return its != sockets.end() ? its->get() : any != sockets.end() ? any->get() : nullptr;
}

/// Why @p session cannot go on.
std::optional<CloseReason> Takeover::endOf(const DtlsSession &session, const SessionSlot &slot)
{
    const ServerSettings &settings = m_handshakes.credentials().settings();
    const Limits &limits = settings.limits;
    const bool hasId = slot.association.hasId();
    const auto [suite, isNew] = m_allowed.try_emplace(slot.association.suite, false);
    if (isNew)
        suite->second = settings.tls.ciphers.contains({slot.association.suite});
    if (session.credential().verdict != Credential::Verdict::Known || !suite->second)
        return CloseReason::Revoked;
    if (limits.sessionLifetime.count() > 0 &&
        session.establishedAt() + limits.sessionLifetime <= m_now)
        return CloseReason::Lifetime;
    if (session.place.touched + (hasId ? limits.idleTimeoutWithId : limits.idleTimeout) <= m_now)
        return CloseReason::Idle;
    // Without an ID its records come to whichever worker the kernel chooses among that group.
    if (!hasId && session.socket().group() != slot.place.group)
        return CloseReason::Shutdown;
    return std::nullopt;
}

} // namespace dtlsd
