// SPDX-License-Identifier: Apache-2.0
#include "dtls/AgeOrder.h"

#include "dtls/DtlsSession.h"

#include <algorithm>
#include <ranges>

namespace dtlsd {

namespace {

constexpr int oldestLookedAt = 64;

} // namespace

void AgeOrder::enter(DtlsSession &session)
{
    m_accounts.enter(session.account, m_worker);
    Place &place = session.place;
    place.ofAccount = &m_byAccount[session.account];
    place.inAccount = place.ofAccount->insert(place.ofAccount->end(), &session);
}

void AgeOrder::leave(DtlsSession &session)
{
    Place &place = session.place;
    place.ofAccount->erase(place.inAccount);
    if (place.ofAccount->empty())
        m_byAccount.erase(session.account);
    m_accounts.leave(session.account, m_worker, Accounts<QByteArray>::End::Finished);
}

void AgeOrder::add(DtlsSession &session, Clock::time_point now)
{
    enter(session);
    Place &place = session.place;
    place.inAll = m_all.insert(m_all.end(), &session);
    place.inOpened = m_opened.insert(m_opened.end(), &session);
    place.touched = now;
    place.isIn = true;
}

void AgeOrder::moveTo(const QByteArray &account, DtlsSession &session)
{
    leave(session);
    session.account = account;
    enter(session);
    Place &place = session.place;
    place.ofAccount->splice(place.ofAccount->begin(), *place.ofAccount, place.inAccount);
}

void AgeOrder::touch(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    m_all.splice(m_all.end(), m_all, place.inAll);
    place.ofAccount->splice(place.ofAccount->end(), *place.ofAccount, place.inAccount);
    place.touched = now;
}

void AgeOrder::remove(DtlsSession &session)
{
    Place &place = session.place;
    m_all.erase(place.inAll);
    m_opened.erase(place.inOpened);
    place.isIn = false;
    leave(session);
}

AgeOrder::Clock::time_point AgeOrder::due(std::chrono::milliseconds timeout) const
{
    return m_all.empty() ? Clock::time_point::max() : m_all.front()->place.touched + timeout;
}

DtlsSession *AgeOrder::toGiveWay(const QByteArray &account, const DtlsSession *newcomer) const
{
    for (DtlsSession *session : m_all | std::views::take(oldestLookedAt)) {
        if (session != newcomer && m_accounts.isHeaviest(session->account))
            return session;
    }
    return toGiveWayOf(account, newcomer);
}

DtlsSession *AgeOrder::toGiveWayOf(const QByteArray &account, const DtlsSession *newcomer) const
{
    const auto found = m_byAccount.find(account);
    if (found == m_byAccount.end())
        return nullptr;
    const auto session = std::ranges::find_if(
        found->second, [newcomer](const DtlsSession *member) { return member != newcomer; });
    return session == found->second.end() ? nullptr : *session;
}

} // namespace dtlsd
