// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"

#include "bench/load/Opening.h"

#include <algorithm>
#include <utility>

namespace dtlsd::bench {

using View = QLatin1StringView;

Result<Figures> measure(const Plan &plan, const Target &target)
{
    switch (plan.mode) {
    case Mode::Churn:
        return measureChurn(plan, target);
    case Mode::Ramp:
        return measureRamp(plan, target);
    case Mode::Blast:
        return measureBlast(plan, target);
    case Mode::Storm:
        return measureStorm(plan, target);
    case Mode::Echo:
        break;
    }
    return measureEcho(plan, target);
}

Result<> reach(const Plan &plan, const SocketAddress &server, std::chrono::nanoseconds patience)
{
    auto fleet = makeFleet(plan, server, 1);
    if (!fleet)
        return fleet.error();
    Opening opening(*fleet.value(), 1, patience);
    opening.addAll();
    if (auto opened = opening.run(); !opened)
        return opened.error();
    closeFleet(*fleet.value());
    return success();
}

Result<std::unique_ptr<LoadFleet>> makeFleet(const Plan &plan, const SocketAddress &server,
                                             std::size_t clients, bool sharesSockets)
{
    LoadFleet::Options options;
    options.server = server;
    options.ciphers = plan.ciphers;
    options.credentials = {plan.credentials};
    options.clients = clients;
    options.sharesSockets = sharesSockets;
    return LoadFleet::make(std::move(options));
}

Result<std::unique_ptr<LoadFleet>> openFleet(const Plan &plan, const SocketAddress &server,
                                             std::size_t clients)
{
    auto fleet = makeFleet(plan, server, clients);
    if (!fleet)
        return fleet;
    Opening opening(*fleet.value(), plan.atATime, plan.timeout);
    opening.addAll();
    if (auto opened = opening.run(); !opened)
        return opened.error();
    return fleet;
}

void closeFleet(LoadFleet &fleet)
{
    for (std::size_t client = 0; client < fleet.size(); ++client)
        fleet[client].close();
    fleet.flush();
}

void addPercentiles(Figures &figures, const Latencies &latencies)
{
    const auto add = [&](const char *key, const char *title, double share) {
        figures.append(
            {View(key), View(title), View("us"), microseconds(latencies.percentile(share))});
    };
    add("p50_us", "median latency", 0.5);
    add("p90_us", "90 % within", 0.9);
    add("p99_us", "99 % within", 0.99);
    add("p999_us", "99.9 % within", 0.999);
    add("max_us", "all within", 1);
}

void addLoss(Figures &figures, std::size_t lost, std::size_t sent)
{
    figures.append({View("loss_percent"), View("not answered"), View("%"),
                    100 * perEach(static_cast<double>(lost), sent)});
}

} // namespace dtlsd::bench
