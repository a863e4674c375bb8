// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"
#include "bench/load/EchoLoad.h"

namespace dtlsd::bench {

Result<QJsonObject> measureEcho(const Plan &plan)
{
    auto fleet = openFleet(plan, plan.clients);
    if (!fleet)
        return fleet.error();
    const QJsonObject figures = echo(*fleet.value(), plan);
    closeFleet(*fleet.value());
    return figures;
}

QJsonObject echo(LoadFleet &fleet, const Plan &plan)
{
    EchoLoad load(fleet, {plan.window, Plan::underWay, Plan::payload});
    load.runFor(plan.warmUp);
    load.forget();

    const Clocks clocks(plan);
    load.runFor(plan.duration);
    QJsonObject figures;
    const std::size_t answered = load.counts().latencies.size();
    figures[QLatin1StringView("datagrams_per_second")] =
        static_cast<double>(answered) / seconds(plan.duration);
    addCpu(figures, clocks, answered);
    load.finish();
    addLoss(figures, load.counts().lost.size(), load.counts().sent);
    addPercentiles(figures, Latencies(load.counts().latencies));
    addMemory(figures, plan);
    return figures;
}

} // namespace dtlsd::bench
