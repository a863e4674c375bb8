// SPDX-License-Identifier: Apache-2.0
//
// Comparison: the same measurement of several servers in turn, again and again, so that what
// disturbs the machine for a while disturbs all of them.
#pragma once

#include "bench/dtls-bench/Figures.h"
#include "bench/dtls-bench/Plan.h"
#include "core/Result.h"

#include <QList>
#include <QString>

namespace dtlsd::bench {

struct Contestant
{
    QString name;
    QString command; ///< as ServerProcess::start() has it
};

/// What was found of one server.
struct Finding
{
    QString name;
    QList<Figures> rounds;
};

/// Of each figure the median of all rounds.
Figures medians(const QList<Figures> &rounds);

/// Each server is started anew for each round.
Result<QList<Finding>> compare(const Plan &plan, const QList<Contestant> &contestants, int rounds);

} // namespace dtlsd::bench
