// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Comparison.h"

#include "bench/dtls-bench/Measuring.h"
#include "bench/dtls-bench/ServerProcess.h"

#include <utility>

namespace dtlsd::bench {

namespace {

Result<Figures> measureOnce(const Plan &plan, const Contestant &contestant)
{
    ServerProcess server;
    const auto target = server.start(contestant.command, plan);
    if (!target)
        return target.error();
    auto figures = measure(plan, target.value());
    if (figures)
        return figures;
    return Error{QStringLiteral("%1: %2").arg(contestant.name, figures.error().message)};
}

} // namespace

Figures medians(const QList<Figures> &rounds)
{
    Figures result = rounds.isEmpty() ? Figures() : rounds.constFirst();
    for (Figure &figure : result) {
        std::vector<double> values;
        for (const Figures &round : rounds) {
            for (const Figure &other : round) {
                if (other.key == figure.key)
                    values.push_back(other.value);
            }
        }
        figure.value = median(std::move(values));
    }
    return result;
}

Result<QList<Finding>> compare(const Plan &plan, const QList<Contestant> &contestants, int rounds)
{
    QList<Finding> findings;
    for (const Contestant &contestant : contestants)
        findings.append({contestant.name, {}});
    for (int round = 0; round < rounds; ++round) {
        for (qsizetype i = 0; i < contestants.size(); ++i) {
            auto figures = measureOnce(plan, contestants[i]);
            if (!figures)
                return figures.error();
            findings[i].rounds.append(std::move(figures).value());
        }
    }
    return findings;
}

} // namespace dtlsd::bench
