// SPDX-License-Identifier: Apache-2.0
//
// What was found, for people and for programs.
#pragma once

#include "bench/dtls-bench/Comparison.h"

#include <QByteArray>
#include <QString>

namespace dtlsd::bench {

/// A row for each figure, a column for each server with its median, and from the second on with the
/// ratio to the first server's.
QString toTable(const QList<Finding> &findings);

/// The plan, and of each server all rounds, the medians and their ratios to the first server's.
QByteArray toJson(const Plan &plan, const QList<Finding> &findings);

} // namespace dtlsd::bench
