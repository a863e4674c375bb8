// SPDX-License-Identifier: Apache-2.0
//
// ServiceHealth: which services take what they are sent, for all workers together. A service that
// has lost a datagram is unreachable until it answers, or until something that was sent to it has
// not been refused for a second: many a service never answers.
#pragma once

#include "core/SocketAddress.h"
#include "forward/ServiceEvents.h"

#include <QList>
#include <QString>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dtlsd {

/// All functions may be called in any thread.
class ServiceHealth
{
public:
    using Clock = std::chrono::steady_clock;

    /// @p detail: see ServiceUnreachable.
    void noteLoss(const SocketAddress &target, ForwardDrop cause, const QString &detail);
    /// While every service is reachable, this costs next to nothing, and so does the next one.
    void noteSent(const SocketAddress &target, Clock::time_point now);
    void noteAnswer(const SocketAddress &target);
    /// Forgets what was noted of any other target.
    void keepOnly(const QList<SocketAddress> &targets);

    /// The events that are due: of each kind and target at most one a minute.
    [[nodiscard]] std::vector<ServiceEvent> report(Clock::time_point now);
    /// When report() is due; Clock::time_point::max() if it is not.
    [[nodiscard]] Clock::time_point due() const;

    [[nodiscard]] bool isReachable(const SocketAddress &target) const;

private:
    struct State
    {
        bool isReachable = true;
        bool wasToldUnreachable = false; // the last event
        ForwardDrop cause = ForwardDrop::Error;
        QString detail;
        std::uint64_t losses = 0;                     // not told
        std::optional<Clock::time_point> firstUnhurt; // when the first was sent after the last loss
        // At first the machine's start, not min(): subtractions must not overflow.
        Clock::time_point mayTellUnreachable{};
        Clock::time_point mayTellReachable{};

        [[nodiscard]] Clock::time_point due() const;
        [[nodiscard]] bool isSettled() const;
        void tellLosses(const SocketAddress &target, Clock::time_point now,
                        std::vector<ServiceEvent> &events);
    };

    void noteWhetherWell();

    std::atomic<bool> m_isWell{true};                   // nothing is to be noted but losses
    mutable std::mutex m_mutex;                         // guards the next one
    std::unordered_map<SocketAddress, State> m_targets; // that have lost anything
};

} // namespace dtlsd
