// SPDX-License-Identifier: Apache-2.0
//
// Failure: why a command of dtlsctl failed.
#pragma once

#include <QString>

#include <sysexits.h>

namespace dtlsd {

struct Failure
{
    /// In addition to sysexits.h: dtlsd refused a valid request, such as for an unknown session, or
    /// is unhealthy.
    static constexpr int refused = 1;

    QString message; ///< one sentence: where, what, what to do; empty: nothing more to print
    int status = refused;
};

} // namespace dtlsd
