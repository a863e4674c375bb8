// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/ServerGauge.h"

#include "bench/load/Statistics.h"

#include <QFile>

#include <unistd.h>

namespace dtlsd::bench {

ServerGauge::ServerGauge(const Target &target)
    : m_processId(target.processId)
    , m_server(target.processId ? std::optional<CpuClock>(*target.processId) : std::nullopt)
    , m_own(getpid())
    , m_begin(std::chrono::steady_clock::now())
{
}

void ServerGauge::addCpu(Figures &figures, std::size_t count, QLatin1StringView title) const
{
    if (m_server)
        figures.append({QLatin1StringView("server_cpu_us"), title, QLatin1StringView("us"),
                        perEach(microseconds(m_server->elapsed()), count)});
    figures.append({QLatin1StringView("client_cpu_us"), QLatin1StringView("the same of dtls-bench"),
                    QLatin1StringView("us"), perEach(microseconds(m_own.elapsed()), count)});
}

void ServerGauge::addLoad(Figures &figures) const
{
    if (!m_server)
        return;
    const auto passed = std::chrono::steady_clock::now() - m_begin;
    figures.append({QLatin1StringView("idle_cpu_percent"),
                    QLatin1StringView("server CPU while all are idle"), QLatin1StringView("%"),
                    100 * ratio(seconds(m_server->elapsed()), seconds(passed))});
}

void ServerGauge::addMemory(Figures &figures) const
{
    if (const auto bytes = memory())
        figures.append({QLatin1StringView("server_rss_kb"),
                        QLatin1StringView("server memory (RSS)"), QLatin1StringView("KB"),
                        *bytes / 1000});
}

std::optional<double> ServerGauge::memory() const
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(m_processId.value_or(0)));
    if (!m_processId || !file.open(QIODevice::ReadOnly))
        return std::nullopt;
    const QList<QByteArray> pages = file.readAll().split(' ');
    if (pages.size() < 2)
        return std::nullopt;
    return pages[1].toDouble() * static_cast<double>(sysconf(_SC_PAGESIZE));
}

} // namespace dtlsd::bench
