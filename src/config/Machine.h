// SPDX-License-Identifier: Apache-2.0
//
// Machine: the features of this machine that a configuration can require, at present.
#pragma once

#include <QStringView>

#include <cstdint>
#include <limits>

namespace dtlsd {

struct Machine
{
    bool hasIPv4 = true; ///< the kernel has it, and this process may use it
    bool hasIPv6 = true;
    /// How many this process may have open (RLIMIT_NOFILE).
    std::int64_t descriptors = std::numeric_limits<std::int64_t>::max();

    static Machine current();
};

/// @p scope is the name or number of an interface, as after the `%` of an address.
bool isInterface(QStringView scope);

} // namespace dtlsd
