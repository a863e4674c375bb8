// SPDX-License-Identifier: Apache-2.0
//
// Why sessions close, handshakes fail and datagrams are not forwarded, as the log says it. Each
// reason is explained in packaging/systemd/dtlsd.catalog. Operators filter by the names, so the
// names never change.
#pragma once

#include "dtls/Events.h"
#include "forward/ServiceEvents.h"

namespace dtlsd {

struct Reason
{
    const char *name; ///< DTLSD_REASON
    const char *text; ///< ends the message: what happened and, for a failure, what to do
};

Reason reasonFor(CloseReason reason);
Reason reasonFor(HandshakeFailure failure);
Reason reasonFor(ForwardDrop drop);

} // namespace dtlsd
