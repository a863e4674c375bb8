// SPDX-License-Identifier: Apache-2.0
//
// PassedDescriptor: a descriptor that a program gets at its start (sd_listen_fds_with_names(3)).
#pragma once

#include <QByteArray>

namespace dtlsd::test {

struct PassedDescriptor
{
    int descriptor = -1;
    QByteArray name = "unknown"; ///< as systemd calls what has none
};

} // namespace dtlsd::test
