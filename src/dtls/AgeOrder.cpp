// SPDX-License-Identifier: Apache-2.0
#include "dtls/AgeOrder.h"

#include "dtls/DtlsSession.h"

namespace dtlsd {

void AgeOrder::add(DtlsSession &session, Clock::time_point now)
{
    Sessions &network = m_networks[session.path().peer.network()];
    session.place = {m_all.insert(m_all.end(), &session), network.insert(network.end(), &session),
                     &network, now};
}

void AgeOrder::touch(DtlsSession &session, Clock::time_point now)
{
    Place &place = session.place;
    m_all.splice(m_all.end(), m_all, place.inAll);
    place.network->splice(place.network->end(), *place.network, place.inNetwork);
    place.touched = now;
}

void AgeOrder::remove(DtlsSession &session)
{
    Place &place = session.place;
    m_all.erase(place.inAll);
    place.network->erase(place.inNetwork);
    if (place.network->empty())
        m_networks.erase(session.path().peer.network());
    place.network = nullptr;
}

DtlsSession *AgeOrder::oldest() const
{
    return m_all.empty() ? nullptr : m_all.front();
}

DtlsSession *AgeOrder::oldestOf(const SocketAddress &network) const
{
    const auto found = m_networks.find(network);
    return found == m_networks.end() ? nullptr : found->second.front();
}

std::size_t AgeOrder::sizeOf(const SocketAddress &network) const
{
    const auto found = m_networks.find(network);
    return found == m_networks.end() ? 0 : found->second.size();
}

} // namespace dtlsd
