// SPDX-License-Identifier: Apache-2.0
//
// Arguments: the command line of dtls-bench, with the key read from where it says.
#pragma once

#include "bench/dtls-bench/Comparison.h"
#include "bench/dtls-bench/Plan.h"

#include <QList>
#include <QString>
#include <QStringList>

#include <variant>

namespace dtlsd::bench {

struct Arguments
{
    /// What to print, where, and the exit status to end with.
    struct Stop
    {
        QString message;
        int status = 0;
    };

    Plan plan;
    Target target;                 ///< unless there are contestants
    QList<Contestant> contestants; ///< that are started
    int rounds = 1;
    bool json = false;

    static std::variant<Arguments, Stop> parse(const QStringList &arguments);
};

} // namespace dtlsd::bench
