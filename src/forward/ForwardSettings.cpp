// SPDX-License-Identifier: Apache-2.0
#include "forward/ForwardSettings.h"

namespace dtlsd {

ForwardSettings::ForwardSettings(const ForwardOptions &options,
                                 std::shared_ptr<const PskStore> identities)
    : m_options(options)
    , m_identities(std::move(identities))
{
    const auto note = [this](const SocketAddress &target) {
        if (target != SocketAddress() && !m_targets.contains(target))
            m_targets += target;
    };
    note(m_options.target);
    for (const PskIdentity &identity : m_identities->identities())
        note(identity.forward.value_or(SocketAddress()));
    if (const auto &wildcard = m_identities->wildcard())
        note(wildcard->forward.value_or(SocketAddress()));
}

SocketAddress ForwardSettings::targetOf(const QByteArray &identity) const
{
    const PskIdentity *known = m_identities->find(identity);
    return known && known->forward ? *known->forward : m_options.target;
}

} // namespace dtlsd
