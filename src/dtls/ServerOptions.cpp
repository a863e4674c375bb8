// SPDX-License-Identifier: Apache-2.0
#include "dtls/ServerOptions.h"

#include <algorithm>

namespace dtlsd {

Limits Limits::shareOf(int workers) const
{
    Limits share = *this;
    for (std::int64_t *cap : {&share.maxSessions, &share.maxHalfOpen, &share.maxHalfOpenPerAddress,
                              &share.maxSessionsPerAddress}) {
        if (*cap > 0) // 0 = no limit
            *cap = std::max<std::int64_t>(*cap / workers, 1);
    }
    return share;
}

const ReplyTemplate &ServerSettings::replyTo(const QByteArray &identity) const
{
    const PskIdentity *known = identities->find(identity);
    return known && known->reply ? *known->reply : reply.reply;
}

} // namespace dtlsd
