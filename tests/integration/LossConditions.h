// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a path can be bad that every handshake has to survive.
#pragma once

#include "support/FaultPlan.h"

#include <QString>

#include <optional>
#include <vector>

namespace dtlsd::test {

struct LossCondition
{
    QString name;
    FaultPlan plan;
    /// What has to have come about, or the condition was not met; nothing for a clean path.
    Fault fault = Fault::Drop;
    std::optional<Flight> flight = {}; ///< nothing: of any
    int times = 1;                     ///< at least
};

std::vector<LossCondition> lossConditions();

} // namespace dtlsd::test
