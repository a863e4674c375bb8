// SPDX-License-Identifier: Apache-2.0
#include "dtls/limits/AgeOrder.h"

#include "dtls/session/DtlsSession.h"

#include <algorithm>

namespace dtlsd {

namespace {

constexpr int oldestLookedAt = 64;

// Not with each datagram: other workers compare minutes of silence.
constexpr AgeOrder::Clock::duration publishedSteps = std::chrono::milliseconds(20);

} // namespace

void AgeOrder::OfAccount::publish()
{
    const Clock::rep since = sessions.front()->place.touched.time_since_epoch().count();
    if (since - silence->load(std::memory_order_relaxed) >= publishedSteps.count())
        silence->store(since, std::memory_order_relaxed);
}

void AgeOrder::enter(DtlsSession &session)
{
    Place &place = session.place;
    place.ofAccount = &m_byAccount[session.account];
    Sessions &sessions = place.ofAccount->sessions;
    place.inAccount = sessions.insert(sessions.end(), &session);
    place.ofAccount->publish();
    m_accounts.enter(session.account, m_worker, 0, place.ofAccount->silence);
}

void AgeOrder::leave(DtlsSession &session)
{
    Place &place = session.place;
    place.ofAccount->sessions.erase(place.inAccount);
    if (place.ofAccount->sessions.empty())
        m_byAccount.erase(session.account);
    else
        place.ofAccount->publish();
    m_accounts.leave(session.account, m_worker, Accounts<QByteArray>::End::Finished);
}

void AgeOrder::add(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    place.touched = now;
    enter(session);
    place.inAll = like(session).insert(like(session).end(), &session);
    place.inOpened = m_opened.insert(m_opened.end(), &session);
    place.isIn = true;
}

void AgeOrder::moveTo(const QByteArray &account, DtlsSession &session)
{
    leave(session);
    session.account = account;
    enter(session);
    Place &place = session.place;
    Sessions &sessions = place.ofAccount->sessions;
    sessions.splice(sessions.begin(), sessions, place.inAccount);
}

void AgeOrder::touch(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    Sessions &all = like(session);
    all.splice(all.end(), all, place.inAll);
    Sessions &sessions = place.ofAccount->sessions;
    sessions.splice(sessions.end(), sessions, place.inAccount);
    place.touched = now;
    place.ofAccount->publish();
}

void AgeOrder::remove(DtlsSession &session)
{
    Place &place = session.place;
    like(session).erase(place.inAll);
    m_opened.erase(place.inOpened);
    place.isIn = false;
    leave(session);
}

AgeOrder::Sessions &AgeOrder::like(const DtlsSession &session)
{
    return session.info().connectionId ? m_withId : m_withoutId;
}

AgeOrder::Clock::time_point AgeOrder::due(const Sessions &sessions,
                                          std::chrono::milliseconds timeout)
{
    return sessions.empty() ? Clock::time_point::max() : sessions.front()->place.touched + timeout;
}

DtlsSession *AgeOrder::toGiveWay(const Accounts<QByteArray>::Claim &claim,
                                 const DtlsSession *newcomer) const
{
    const auto mayGiveWay = [newcomer](const DtlsSession *session) { return session != newcomer; };
    auto withId = m_withId.begin();
    auto withoutId = m_withoutId.begin();
    const int looks = claim.isToAccountAlone ? 0 : oldestLookedAt;
    for (int i = 0; i < looks; ++i) {
        const bool hasWithId = withId != m_withId.end();
        const bool hasWithoutId = withoutId != m_withoutId.end();
        if (!hasWithId && !hasWithoutId)
            break;
        const bool isWithId =
            hasWithId && (!hasWithoutId || (*withId)->place.touched < (*withoutId)->place.touched);
        DtlsSession *next = isWithId ? *withId++ : *withoutId++;
        if (mayGiveWay(next) && m_accounts.isAsHeavy(next->account, claim))
            return next;
    }
    const auto ofAccount = m_byAccount.find(claim.account);
    if (ofAccount == m_byAccount.end())
        return nullptr;
    const Sessions &sessions = ofAccount->second.sessions;
    const auto found = std::ranges::find_if(sessions, mayGiveWay);
    return found == sessions.end() ? nullptr : *found;
}

} // namespace dtlsd
