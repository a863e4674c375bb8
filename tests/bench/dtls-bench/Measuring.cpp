// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Measuring.h"

#include "bench/load/Opening.h"

#include <QFile>

#include <thread>

#include <unistd.h>

namespace dtlsd::bench {

using View = QLatin1StringView;

Result<> reach(const Plan &plan)
{
    const auto deadline = LoadFleet::Clock::now() + plan.timeout;
    while (true) {
        auto fleet = makeFleet(plan, 1);
        if (!fleet)
            return fleet.error();
        auto opened = Opening(*fleet.value(), 1, attempt).run();
        closeFleet(*fleet.value());
        if (opened || LoadFleet::Clock::now() >= deadline)
            return opened;
    }
}

Result<std::unique_ptr<LoadFleet>> makeFleet(const Plan &plan, std::size_t clients,
                                             bool sharesSockets)
{
    return LoadFleet::make({plan.port, {plan.credentials}, clients, sharesSockets});
}

Result<std::unique_ptr<LoadFleet>> openFleet(const Plan &plan, std::size_t clients)
{
    auto fleet = makeFleet(plan, clients);
    if (!fleet)
        return fleet;
    const auto opened = Opening(*fleet.value(), Plan::atATime, plan.timeout).run();
    return opened ? std::move(fleet) : opened.error();
}

void closeFleet(LoadFleet &fleet)
{
    for (std::size_t client = 0; client < fleet.size(); ++client)
        fleet[client].close();
    fleet.flush();
}

Clocks::Clocks(const Plan &plan)
    : server(plan.processId)
    , own(getpid())
{
    if (plan.serviceId != 0)
        service.emplace(plan.serviceId);
}

void addCpu(QJsonObject &figures, const Clocks &clocks, std::size_t count)
{
    figures[View("server_cpu_us")] = perEach(microseconds(clocks.server.elapsed()), count);
    if (clocks.service)
        figures[View("service_cpu_us")] = perEach(microseconds(clocks.service->elapsed()), count);
    figures[View("client_cpu_us")] = perEach(microseconds(clocks.own.elapsed()), count);
}

double memory(const Plan &plan)
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(plan.processId));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QList<QByteArray> pages = file.readAll().split(' ');
    return pages.value(1).toDouble() * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void settle()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

void addIdleCpu(QJsonObject &figures, const Plan &plan)
{
    std::this_thread::sleep_for(plan.warmUp);
    const Clocks clocks(plan);
    const auto begin = LoadFleet::Clock::now();
    std::this_thread::sleep_for(plan.duration);
    figures[View("idle_cpu_percent")] =
        100 * seconds(clocks.server.elapsed()) / seconds(LoadFleet::Clock::now() - begin);
}

void addMemory(QJsonObject &figures, const Plan &plan)
{
    figures[View("server_rss_kb")] = memory(plan) / 1000;
}

void addPercentiles(QJsonObject &figures, const Latencies &latencies)
{
    figures[View("p50_us")] = microseconds(latencies.percentile(0.5));
    figures[View("p90_us")] = microseconds(latencies.percentile(0.9));
    figures[View("p99_us")] = microseconds(latencies.percentile(0.99));
    figures[View("p999_us")] = microseconds(latencies.percentile(0.999));
    figures[View("max_us")] = microseconds(latencies.percentile(1));
}

void addLoss(QJsonObject &figures, std::size_t lost, std::size_t sent)
{
    figures[View("loss_percent")] = 100 * perEach(static_cast<double>(lost), sent);
}

} // namespace dtlsd::bench
