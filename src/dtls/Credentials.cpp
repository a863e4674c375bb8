// SPDX-License-Identifier: Apache-2.0
#include "dtls/Credentials.h"

#include <QCryptographicHash>
#include <QHashFunctions>
#include <QMessageAuthenticationCode>

namespace dtlsd {

std::size_t KeyRotation::Hash::operator()(const Key &key) const noexcept
{
    return key.network.hash(qHash(key.identity, QHashSeed::globalSeed()));
}

bool KeyRotation::prefersNext(const QByteArray &identity, const SocketAddress &network)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_prefersNext.find({identity, network});
    return found != m_prefersNext.end() && found->second;
}

void KeyRotation::learn(const QByteArray &identity, const SocketAddress &network, bool next)
{
    const std::lock_guard lock(m_mutex);
    if (m_prefersNext.size() >= capacity)
        m_prefersNext.clear();
    m_prefersNext[{identity, network}] = next;
}

Credentials::Credentials(std::shared_ptr<const ServerSettings> settings, KeyRotation &rotation,
                         QByteArray decoySecret)
    : m_settings(std::move(settings))
    , m_rotation(rotation)
    , m_decoySecret(std::move(decoySecret))
{
}

Credential Credentials::find(const QByteArray &identity, const SocketAddress &peer) const
{
    // Made for known identities too, so that both take the same time.
    const QByteArray decoy =
        QMessageAuthenticationCode::hash(identity, m_decoySecret, QCryptographicHash::Sha256);
    const PskIdentity *known = m_settings->identities->find(identity);
    Credential credential;
    if (known && known->allows(peer)) {
        credential.verdict = Credential::Verdict::Known;
        credential.identity = known;
        credential.isNextKey =
            !known->nextKey.isEmpty() && m_rotation.prefersNext(identity, peer.network());
        credential.key = credential.isNextKey ? known->nextKey : known->key;
        return credential;
    }
    if (known)
        credential.verdict = Credential::Verdict::AddressNotAllowed;
    if (m_settings->tls.unknownIdentity == TlsOptions::UnknownIdentity::Hide)
        credential.key = PskKey(decoy);
    return credential;
}

void Credentials::learn(const Credential &credential, const QByteArray &identity,
                        const SocketAddress &peer, bool accepted) const
{
    if (credential.identity && !credential.identity->nextKey.isEmpty())
        m_rotation.learn(identity, peer.network(), credential.isNextKey == accepted);
}

} // namespace dtlsd
