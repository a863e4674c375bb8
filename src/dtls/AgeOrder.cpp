// SPDX-License-Identifier: Apache-2.0
#include "dtls/AgeOrder.h"

#include "dtls/DtlsSession.h"

namespace dtlsd {

namespace {

SocketAddress groupOf(const DtlsSession &session, std::size_t grouping)
{
    const SocketAddress &peer = session.path().peer;
    return grouping == AgeOrder::ByNetwork ? peer.network() : peer.site();
}

} // namespace

void AgeOrder::add(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    place.inAll = m_all.insert(m_all.end(), &session);
    for (std::size_t i = 0; i < m_groups.size(); ++i) {
        Sessions &group = m_groups[i][groupOf(session, i)];
        place.in[i] = {&group, group.insert(group.end(), &session)};
    }
    place.touched = now;
}

void AgeOrder::touch(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    m_all.splice(m_all.end(), m_all, place.inAll);
    for (std::size_t i = 0; i < m_groups.size(); ++i) {
        const auto &[group, at] = place.in[i];
        group->splice(group->end(), *group, at);
    }
    place.touched = now;
}

void AgeOrder::remove(DtlsSession &session)
{
    Place &place = session.place;
    m_all.erase(place.inAll);
    for (std::size_t i = 0; i < m_groups.size(); ++i) {
        auto &[group, at] = place.in[i];
        group->erase(at);
        if (group->empty())
            m_groups[i].erase(groupOf(session, i));
        group = nullptr;
    }
}

const AgeOrder::Sessions &AgeOrder::neighbours(const DtlsSession &session, Grouping by)
{
    return *session.place.in[by].group;
}

AgeOrder::Clock::time_point AgeOrder::due(std::chrono::milliseconds timeout) const
{
    return m_all.empty() ? Clock::time_point::max() : m_all.front()->place.touched + timeout;
}

} // namespace dtlsd
