// SPDX-License-Identifier: Apache-2.0
#include "dtls/Credentials.h"

#include <QHashFunctions>

#include <stdexcept>

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

void KeyRotation::forgetChanged(const PskStore &before, const PskStore &after)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_prefersNext, [&](const auto &learned) {
        const PskIdentity *was = before.find(learned.first.identity);
        const PskIdentity *now = after.find(learned.first.identity);
        return !was || !now || was->key != now->key || was->nextKey != now->nextKey;
    });
}

Credentials::Credentials(std::shared_ptr<const ServerSettings> settings, KeyRotation &rotation,
                         const QByteArray &decoySecret)
    : m_settings(std::move(settings))
    , m_rotation(rotation)
    , m_decoys(decoySecret)
{
    if (m_decoys.of({}).isEmpty())
        throw std::runtime_error("OpenSSL has no HMAC with SHA-256");
}

Credential Credentials::find(const QByteArray &identity, const SocketAddress &peer) const
{
    // Made for known identities too, so that both take the same time.
    const QByteArray decoy = m_decoys.of(identity);
    const PskIdentity *known = m_settings->identities->find(identity);
    Credential credential;
    if (known && known->allows(peer)) {
        credential.verdict = Credential::Verdict::Known;
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

Credential Credentials::renewed(const Credential &credential, const QByteArray &identity,
                                const SocketAddress &peer, const PskStore &before) const
{
    const PskIdentity *was = before.find(identity);
    const PskIdentity *now = m_settings->identities->find(identity);
    Credential renewed;
    if (!was || !now)
        return renewed;
    const PskKey &key = credential.isNextKey ? was->nextKey : was->key;
    renewed.isNextKey = key != now->key;
    if (!now->allows(peer))
        renewed.verdict = Credential::Verdict::AddressNotAllowed;
    else if (renewed.isNextKey && key != now->nextKey)
        renewed.verdict = Credential::Verdict::KeyGone;
    else
        renewed.verdict = Credential::Verdict::Known;
    return renewed;
}

void Credentials::learn(const Credential &credential, const QByteArray &identity,
                        const SocketAddress &peer, bool accepted) const
{
    const PskIdentity *known = m_settings->identities->find(identity);
    if (credential.verdict == Credential::Verdict::Known && known && !known->nextKey.isEmpty())
        m_rotation.learn(identity, peer.network(), credential.isNextKey == accepted);
}

} // namespace dtlsd
