// SPDX-License-Identifier: Apache-2.0
#include "bench/load/LoadFleet.h"

#include <utility>

namespace dtlsd::bench {

namespace {

constexpr char alertRecord = 21; // RFC 5246 §6.2.1

} // namespace

Result<std::unique_ptr<LoadFleet>> LoadFleet::make(Options options)
{
    std::unique_ptr<LoadFleet> fleet(new LoadFleet(std::move(options)));
    if (auto opened = fleet->m_sockets.open(); !opened)
        return opened.error();
    for (std::size_t client = 0; fleet->m_options.makesSessions && client < fleet->size(); ++client)
        fleet->makeSession(client);
    return fleet;
}

LoadFleet::LoadFleet(Options options)
    : m_options(std::move(options))
    , m_context(LoadSession::makeContext())
    , m_sockets(m_options.port, m_options.clients, m_options.sharesSockets)
    , m_sessions(m_options.clients)
{
}

void LoadFleet::renew(std::size_t client)
{
    flush(); // datagrams for the old socket
    m_sockets.renew(client);
    makeSession(client);
}

void LoadFleet::provide(std::size_t client)
{
    if (!has(client))
        makeSession(client);
}

void LoadFleet::makeSession(std::size_t client)
{
    const DeviceKey &credentials = m_options.credentials[client % m_options.credentials.size()];
    m_sessions[client] =
        std::make_unique<LoadSession>(*m_context, m_sockets.route(client), credentials, m_outbox);
}

std::span<const std::size_t> LoadFleet::wait(std::chrono::nanoseconds timeout,
                                             std::size_t datagrams)
{
    flush();
    m_ready.clear();
    m_sockets.receive(
        timeout, datagrams,
        [this](std::size_t client, std::span<const char> datagram) { put(client, datagram); });
    return m_ready;
}

void LoadFleet::put(std::size_t client, std::span<const char> datagram)
{
    if (!has(client)) {
        if (!datagram.empty() && datagram.front() == alertRecord)
            ++m_lateAlerts;
        return;
    }
    if (!m_sessions[client]->hasInput())
        m_ready.push_back(client);
    m_sessions[client]->put(datagram);
}

} // namespace dtlsd::bench
