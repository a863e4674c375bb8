// SPDX-License-Identifier: Apache-2.0
#include "dtls/ServerOptions.h"

namespace dtlsd {

const ReplyTemplate &ServerSettings::replyTo(const QByteArray &identity) const
{
    const PskIdentity *known = identities->find(identity);
    return known && known->reply ? *known->reply : reply.reply;
}

std::int64_t ServerSettings::datagramsPerSecond(const QByteArray &identity) const
{
    const PskIdentity *known = identities->find(identity);
    return known && known->datagramsPerSecond ? *known->datagramsPerSecond
                                              : limits.datagramsPerSecond;
}

} // namespace dtlsd
