// SPDX-License-Identifier: Apache-2.0
//
// Machine: what this machine has at present, of what a configuration can ask for.
#pragma once

#include <QStringView>

namespace dtlsd {

struct Machine
{
    bool hasIPv6 = true; ///< in the kernel, and allowed to this process

    static Machine current();
};

/// @p scope is an interface's name or number, as behind the `%` of an address.
bool isInterface(QStringView scope);

} // namespace dtlsd
