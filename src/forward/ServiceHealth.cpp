// SPDX-License-Identifier: Apache-2.0
#include "forward/ServiceHealth.h"

#include <algorithm>
#include <utility>

namespace dtlsd {

namespace {

constexpr std::chrono::seconds quiet{1};
constexpr std::chrono::minutes betweenEvents{1};

} // namespace

ServiceHealth::Clock::time_point ServiceHealth::State::due() const
{
    if (isReachable && wasToldUnreachable)
        return mayTellReachable;
    auto due = Clock::time_point::max();
    if (losses > 0) // what is over is told together with its end
        due = isReachable ? std::max(mayTellUnreachable, mayTellReachable) : mayTellUnreachable;
    return !isReachable && firstUnhurt ? std::min(due, *firstUnhurt + quiet) : due;
}

void ServiceHealth::State::tellLosses(const SocketAddress &target, Clock::time_point now,
                                      std::vector<ServiceEvent> &events)
{
    if (losses == 0 || now < mayTellUnreachable || (isReachable && now < mayTellReachable))
        return;
    events.emplace_back(ServiceUnreachable{target, cause, detail, std::exchange(losses, 0)});
    wasToldUnreachable = true;
    mayTellUnreachable = now + betweenEvents;
}

bool ServiceHealth::State::isSettled() const
{
    return isReachable && !wasToldUnreachable && losses == 0;
}

void ServiceHealth::noteLoss(const SocketAddress &target, ForwardDrop cause, const QString &detail)
{
    const std::lock_guard lock(m_mutex);
    State &state = m_targets[target];
    state.isReachable = false;
    state.cause = cause;
    state.detail = detail;
    ++state.losses;
    state.firstUnhurt.reset();
    m_isWell = false;
}

void ServiceHealth::noteSent(const SocketAddress &target, Clock::time_point now)
{
    if (m_isWell)
        return;
    const std::lock_guard lock(m_mutex);
    const auto found = m_targets.find(target);
    if (found != m_targets.end() && !found->second.isReachable && !found->second.firstUnhurt)
        found->second.firstUnhurt = now;
}

void ServiceHealth::noteAnswer(const SocketAddress &target)
{
    if (m_isWell)
        return;
    const std::lock_guard lock(m_mutex);
    if (const auto found = m_targets.find(target); found != m_targets.end())
        found->second.isReachable = true;
    noteWhetherWell();
}

void ServiceHealth::keepOnly(const QList<SocketAddress> &targets)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_targets, [&](const auto &it) { return !targets.contains(it.first); });
    noteWhetherWell();
}

std::vector<ServiceEvent> ServiceHealth::report(Clock::time_point now)
{
    std::vector<ServiceEvent> events;
    if (m_isWell)
        return events;
    const std::lock_guard lock(m_mutex);
    for (auto &[target, state] : m_targets) {
        if (state.firstUnhurt && now - *state.firstUnhurt >= quiet)
            state.isReachable = true;
        if (!state.isReachable || !state.wasToldUnreachable)
            state.tellLosses(target, now, events);
        if (state.isReachable && state.wasToldUnreachable && state.mayTellReachable <= now) {
            events.emplace_back(ServiceReachable{target, std::exchange(state.losses, 0)});
            state.wasToldUnreachable = false;
            state.mayTellReachable = now + betweenEvents;
        }
    }
    noteWhetherWell();
    return events;
}

ServiceHealth::Clock::time_point ServiceHealth::due() const
{
    auto due = Clock::time_point::max();
    if (m_isWell)
        return due;
    const std::lock_guard lock(m_mutex);
    for (const auto &[target, state] : m_targets)
        due = std::min(due, state.due());
    return due;
}

bool ServiceHealth::isReachable(const SocketAddress &target) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_targets.find(target);
    return found == m_targets.end() || found->second.isReachable;
}

void ServiceHealth::noteWhetherWell()
{
    m_isWell = std::ranges::all_of(m_targets, [](const auto &it) { return it.second.isSettled(); });
}

} // namespace dtlsd
