// SPDX-License-Identifier: Apache-2.0
//
// Why sessions close and handshakes fail, in the words of the log. Each reason is explained in
// packaging/systemd/dtlsd.catalog. Operators filter by their names, so these never change.
#pragma once

#include "dtls/Events.h"

namespace dtlsd {

struct Reason
{
    const char *name; ///< DTLSD_REASON
    const char *text; ///< ends the sentence: what happened and, of a failure, what to do about it
};

Reason reasonFor(CloseReason reason);
Reason reasonFor(HandshakeFailure failure);

} // namespace dtlsd
