// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/HalfOpen.h"

#include "dtls/session/DtlsSession.h"

#include <algorithm>

namespace dtlsd {

namespace {

// Of those that could give way, until one has not answered since its hello.
constexpr int candidates = 4;

} // namespace

bool HalfOpen::add(DtlsSession &session, Clock::time_point now, std::int64_t limit)
{
    const SocketAddress network = session.path().peer.network();
    m_networks.age(now);
    if (!m_networks.enter(network, m_worker, limit))
        return false;
    session.place.inAll = m_all.insert(m_all.end(), &session);
    session.place.touched = now;
    session.place.isIn = true;
    m_byNetwork[network].push_back(&session);
    return true;
}

void HalfOpen::remove(DtlsSession &session, End end)
{
    const auto neighbours = m_byNetwork.find(session.path().peer.network());
    std::erase(neighbours->second, &session);
    if (neighbours->second.empty())
        m_byNetwork.erase(neighbours);
    m_all.erase(session.place.inAll);
    session.place.isIn = false;
    m_networks.leave(session.path().peer.network(), m_worker, end);
}

HalfOpen::Clock::time_point HalfOpen::due(std::chrono::milliseconds timeout) const
{
    return m_all.empty() ? Clock::time_point::max() : m_all.front()->place.touched + timeout;
}

DtlsSession *HalfOpen::toGiveWay(Clock::time_point now)
{
    const auto isBeyondGrace = [now](const DtlsSession *session) {
        return session->place.touched + grace <= now;
    };
    if (m_all.empty() || !isBeyondGrace(m_all.front()))
        return nullptr;
    const auto mayGiveWay = [&](const auto &network) {
        return isBeyondGrace(network.second.front());
    };
    const Neighbours &heaviest =
        m_networks
            .heaviest(
                m_byNetwork, [](const auto &network) { return network.first; }, mayGiveWay)
            ->second;
    const auto end = std::ranges::partition_point(heaviest, isBeyondGrace);
    DtlsSession *session = nullptr;
    for (int i = 0; i < candidates && (!session || session->hasAnswered()); ++i)
        session = heaviest[m_random.bounded(static_cast<quint32>(end - heaviest.begin()))];
    return session;
}

} // namespace dtlsd
