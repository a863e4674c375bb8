// SPDX-License-Identifier: Apache-2.0
//
// Machine: the features of this machine that a configuration can require, at present.
#pragma once

#include <QStringView>

namespace dtlsd {

struct Machine
{
    bool hasIPv6 = true; ///< the kernel has it, and this process may use it

    static Machine current();
};

/// @p scope is the name or number of an interface, as after the `%` of an address.
bool isInterface(QStringView scope);

} // namespace dtlsd
