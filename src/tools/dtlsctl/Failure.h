// SPDX-License-Identifier: Apache-2.0
//
// Failure: why dtlsctl did not do what it was asked.
#pragma once

#include <QString>

#include <sysexits.h>

namespace dtlsd {

struct Failure
{
    /// Beside those of sysexits.h: dtlsd understood and said no, or what it was asked about is not
    /// so.
    static constexpr int refused = 1;

    QString message; ///< a sentence: where, what, what to do; empty: all has been said
    int status = refused;
};

} // namespace dtlsd
