// SPDX-License-Identifier: Apache-2.0
#include "dtls/Psk.h"

#include <QCryptographicHash>
#include <QDebug>

#include <algorithm>

#include <openssl/crypto.h>

namespace dtlsd {

PskKey &PskKey::operator=(const PskKey &other)
{
    return *this = PskKey(other);
}

PskKey &PskKey::operator=(PskKey &&other) noexcept
{
    if (this != &other) {
        wipe();
        m_bytes = std::move(other.m_bytes);
    }
    return *this;
}

PskKey::~PskKey()
{
    wipe();
}

void PskKey::wipe()
{
    // Only the last owner wipes a shared buffer: before, data() would detach and yield a copy.
    if (m_bytes.isDetached() && !m_bytes.isEmpty())
        OPENSSL_cleanse(m_bytes.data(), static_cast<std::size_t>(m_bytes.size()));
    m_bytes.clear();
}

QByteArray PskKey::fingerprint() const
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(QByteArrayView("dtlsd key fingerprint\0"));
    hash.addData(m_bytes);
    return "sha256:" + hash.result().first(4).toHex();
}

QDebug operator<<(QDebug debug, const PskKey &key)
{
    const QDebugStateSaver saver(debug);
    return debug.noquote() << key.fingerprint();
}

bool PskIdentity::allows(const SocketAddress &peer) const
{
    const QHostAddress address = peer.address();
    return allowFrom.isEmpty() ||
           std::any_of(allowFrom.begin(), allowFrom.end(),
                       [&](const Subnet &subnet) { return address.isInSubnet(subnet); });
}

bool PskStore::isValidIdentity(QByteArrayView identity)
{
    return identity.size() <= maximumIdentitySize && !identity.contains('\0');
}

bool PskStore::add(const QByteArray &identity, PskIdentity entry)
{
    const qsizetype before = m_identities.size();
    PskIdentity &slot = m_identities[identity];
    if (m_identities.size() == before)
        return false;
    slot = std::move(entry);
    return true;
}

const PskIdentity *PskStore::find(const QByteArray &identity) const
{
    if (!isValidIdentity(identity))
        return nullptr;
    const auto found = m_identities.constFind(identity);
    if (found != m_identities.cend())
        return &*found;
    return m_wildcard ? &*m_wildcard : nullptr;
}

QByteArray PskStore::account(const QByteArray &identity) const
{
    return m_identities.contains(identity) ? identity : wildcardAccount();
}

} // namespace dtlsd
