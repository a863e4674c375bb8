// SPDX-License-Identifier: Apache-2.0
#include "dtls/handshake/Credentials.h"

#include <QHashFunctions>
#include <QRandomGenerator>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace dtlsd {

std::size_t KeyRotation::Hash::operator()(const Key &key) const noexcept
{
    return key.from.hash(qHash(key.identity, QHashSeed::globalSeed()));
}

SessionSlot::KeyMark markOf(const PskKey &key, SessionId session)
{
    const QByteArray code =
        HmacSha256(key.bytes())
            .of(QByteArrayView(reinterpret_cast<const char *>(&session), sizeof session));
    SessionSlot::KeyMark mark{};
    std::copy_n(code.begin(), std::min<qsizetype>(code.size(), std::ssize(mark)), mark.begin());
    return mark;
}

bool KeyRotation::triesNext(const QByteArray &identity, const SocketAddress &peer)
{
    const Key network{identity, peer.network()};
    const std::lock_guard lock(m_mutex);
    const auto opened = m_opened.find(network);
    const bool next = opened != m_opened.end() && opened->second;
    if (!m_failed.contains(network))
        return next;
    if (const auto its = m_failed.find({identity, peer}); its != m_failed.end())
        return !its->second;
    const quint32 oneIn = opened != m_opened.end() ? 4 : 2;
    return QRandomGenerator::global()->bounded(oneIn) == 0 ? !next : next;
}

void KeyRotation::noteSuccess(const QByteArray &identity, const SocketAddress &peer, bool next)
{
    const Key network{identity, peer.network()};
    const std::lock_guard lock(m_mutex);
    if (m_opened.size() >= capacity)
        m_opened.clear();
    m_opened[network] = next;
    m_failed.erase(network);
    m_failed.erase({identity, peer});
}

void KeyRotation::noteFailure(const QByteArray &identity, const SocketAddress &peer, bool next)
{
    const std::lock_guard lock(m_mutex);
    if (m_failed.size() + 1 >= capacity)
        m_failed.clear();
    m_failed[{identity, peer}] = next;
    m_failed[{identity, peer.network()}] = next;
}

void KeyRotation::forgetChanged(const PskStore &before, const PskStore &after)
{
    const auto hasChanged = [&](const auto &learned) {
        const PskIdentity *was = before.find(learned.first.identity);
        const PskIdentity *now = after.find(learned.first.identity);
        return !was || !now || was->key != now->key || was->nextKey != now->nextKey;
    };
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_opened, hasChanged);
    std::erase_if(m_failed, hasChanged);
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
    // Computed for known identities too, so that both take equally long.
    const QByteArray decoy = m_decoys.of(identity);
    const PskIdentity *known = m_settings->identities->find(identity);
    Credential credential;
    if (known && known->allows(peer)) {
        credential.verdict = Credential::Verdict::Known;
        credential.isNextKey = !known->nextKey.isEmpty() && m_rotation.triesNext(identity, peer);
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

Credential Credentials::ofLeft(const QByteArray &identity, const SocketAddress &peer,
                               SessionId session, const SessionSlot::KeyMark &mark) const
{
    const PskIdentity *known = m_settings->identities->find(identity);
    Credential credential;
    if (!known)
        return credential;
    const bool isKey = markOf(known->key, session) == mark;
    credential.isNextKey =
        !isKey && !known->nextKey.isEmpty() && markOf(known->nextKey, session) == mark;
    if (!known->allows(peer))
        credential.verdict = Credential::Verdict::AddressNotAllowed;
    else if (isKey || credential.isNextKey)
        credential.verdict = Credential::Verdict::Known;
    else
        credential.verdict = Credential::Verdict::KeyGone;
    return credential;
}

void Credentials::learn(const Credential &credential, const QByteArray &identity,
                        const SocketAddress &peer, bool accepted) const
{
    const PskIdentity *known = m_settings->identities->find(identity);
    if (credential.verdict != Credential::Verdict::Known || !known || known->nextKey.isEmpty())
        return;
    if (accepted)
        m_rotation.noteSuccess(identity, peer, credential.isNextKey);
    else
        m_rotation.noteFailure(identity, peer, credential.isNextKey);
}

} // namespace dtlsd
