// SPDX-License-Identifier: Apache-2.0
//
// Figures: what a measurement has found, as a list, so that tables, medians, ratios and JSON need
// not know what was measured.
#pragma once

#include <QLatin1StringView>
#include <QList>

namespace dtlsd::bench {

struct Figure
{
    QLatin1StringView key;   ///< in JSON; ends with the unit unless that is clear
    QLatin1StringView title; ///< in tables
    QLatin1StringView unit;
    double value = 0;
};

using Figures = QList<Figure>;

} // namespace dtlsd::bench
