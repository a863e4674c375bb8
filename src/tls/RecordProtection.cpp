// SPDX-License-Identifier: Apache-2.0
#include "tls/RecordProtection.h"

#include "tls/ReplayWindow.h"

#include <QtEndian>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include <openssl/objects.h>
#include <openssl/ssl.h>

namespace dtlsd {

namespace {

constexpr std::size_t recentSessions = 64;

constexpr std::size_t headerSize = Record::headerSize;
constexpr std::size_t sequencePlace = 3; // in the header (RFC 6347 §4.1)
constexpr std::size_t lengthPlace = 11;

constexpr std::uint64_t withEpoch(std::uint64_t sequence)
{
    return std::uint64_t{AssociationState::epoch} << 48 | sequence;
}

/// The additional data of a record with an ID (RFC 9146 §5.3), from its header.
class IdData
{
public:
    IdData(std::span<const unsigned char> header, std::size_t innerSize)
    {
        const std::size_t idSize = header.size() - headerSize;
        append(std::array<unsigned char, 8>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
        append(std::array{header[0], static_cast<unsigned char>(idSize)});
        append(header.first(Record::idPlace + idSize)); // type, version, epoch, number, ID
        std::array<unsigned char, 2> length{};
        qToBigEndian(static_cast<quint16>(innerSize), length.data());
        append(length);
    }

    [[nodiscard]] std::span<const unsigned char> view() const
    {
        return std::span(m_bytes).first(m_size);
    }

private:
    void append(std::span<const unsigned char> bytes)
    {
        std::ranges::copy(bytes, m_bytes.begin() + static_cast<std::ptrdiff_t>(m_size));
        m_size += bytes.size();
    }

    std::array<unsigned char, 23 + AssociationState::longestPeerId> m_bytes{};
    std::size_t m_size = 0;
};

RecordAlgorithm algorithmOf(const SSL_CIPHER *suite, const SuiteLimits &limits)
{
    RecordAlgorithm algorithm;
    const char *name = OBJ_nid2sn(SSL_CIPHER_get_cipher_nid(suite));
    algorithm.cipher.reset(EVP_CIPHER_fetch(nullptr, name, nullptr));
    if (!algorithm.cipher)
        return algorithm;
    algorithm.keySize = static_cast<std::size_t>(EVP_CIPHER_get_key_length(algorithm.cipher.get()));
    algorithm.explicitIvSize = static_cast<std::size_t>(limits.explicitNonce);
    // All nonces have 12 bytes: the explicit part and what the key block gives.
    algorithm.fixedIvSize = 12 - algorithm.explicitIvSize;
    algorithm.tagSize = static_cast<std::size_t>(limits.expansion) - algorithm.explicitIvSize;
    return algorithm;
}

} // namespace

RecordProtection::RecordProtection(const SSL_CIPHER *suite)
    : m_suite{SSL_CIPHER_get_protocol_id(suite)}
    , m_limits(SuiteLimits::of(SSL_CIPHER_get_name(suite)))
    , m_algorithm(algorithmOf(suite, m_limits))
    , m_keyBlock(SSL_CIPHER_get_handshake_digest(suite))
{
    m_recent.reserve(recentSessions);
}

bool RecordProtection::begin(AssociationState &state, const KeyBlock::Secret &secret)
{
    state.suite = m_suite.number;
    return m_algorithm.cipher && m_keyBlock.derive(secret, m_algorithm, state);
}

RecordProtection::Ciphers *RecordProtection::ciphersOf(const AssociationState &state, Place &place)
{
    if (place < m_recent.size() && m_recent[place].owner == &state)
        return &m_recent[place];
    place = m_next;
    m_next = (m_next + 1) % recentSessions;
    if (place == m_recent.size())
        m_recent.emplace_back(m_algorithm);
    Ciphers &ciphers = m_recent[place];
    const bool isReady = setKeys(ciphers, state);
    ciphers.owner = isReady ? &state : nullptr;
    return isReady ? &ciphers : nullptr;
}

bool RecordProtection::setKeys(Ciphers &ciphers, const AssociationState &state) const
{
    const auto withId = [&](std::unique_ptr<AeadCipher> &cipher, const AssociationState::Key &key,
                            AeadCipher::Direction direction) {
        if (!cipher)
            cipher = std::make_unique<AeadCipher>(m_algorithm, direction);
        return cipher->use(key);
    };
    const bool opens = state.hasId()
                           ? withId(ciphers.openWithId, state.read, AeadCipher::Direction::Open)
                           : ciphers.open.use(state.read, 0);
    const bool seals = state.sealsWithId()
                           ? withId(ciphers.sealWithId, state.write, AeadCipher::Direction::Seal)
                           : ciphers.seal.use(state.write, withEpoch(state.nextSequence));
    return opens && seals;
}

QByteArrayView RecordProtection::seal(AssociationState &state, Place &place, ContentType type,
                                      QByteArrayView plaintext)
{
    Ciphers *ciphers = ciphersOf(state, place);
    if (!ciphers || state.nextSequence > AssociationState::lastSequence)
        return {};
    const std::uint64_t sequence = withEpoch(state.nextSequence++);
    const Content content{type, plaintext};
    const QByteArrayView record = state.sealsWithId()
                                      ? sealedWithId(*ciphers->sealWithId, state, sequence, content)
                                      : sealed(ciphers->seal, sequence, content);
    if (record.isEmpty())
        forget(state, place);
    return record;
}

QByteArrayView RecordProtection::sealed(RecordCipher &cipher, std::uint64_t sequence,
                                        const Content &content)
{
    const auto size = static_cast<std::size_t>(content.plaintext.size());
    const std::size_t unsealed = m_algorithm.explicitIvSize + size;
    const std::size_t whole = unsealed + m_algorithm.tagSize;
    beginRecord(content.type, sequence);
    qToBigEndian(static_cast<quint16>(whole), m_record.data() + lengthPlace);
    std::memcpy(m_record.data() + headerSize, m_record.data() + sequencePlace,
                m_algorithm.explicitIvSize);
    std::memcpy(m_record.data() + headerSize + m_algorithm.explicitIvSize, content.plaintext.data(),
                size);

    RecordCipher::AdditionalData data;
    std::copy_n(m_record.data() + sequencePlace, sizeof sequence, data.data());
    std::copy_n(m_record.data(), sequencePlace, data.data() + sizeof sequence);
    qToBigEndian(static_cast<quint16>(unsealed), data.data() + lengthPlace);
    const bool isDone = cipher.process(data, {m_record.data() + headerSize, whole});
    // OpenSSL counts the nonces of GCM itself.
    if (!isDone || std::memcmp(m_record.data() + headerSize, m_record.data() + sequencePlace,
                               m_algorithm.explicitIvSize) != 0)
        return {};
    return recordOf(headerSize + whole);
}

QByteArrayView RecordProtection::sealedWithId(AeadCipher &cipher, const AssociationState &state,
                                              std::uint64_t sequence, const Content &content)
{
    const auto size = static_cast<std::size_t>(content.plaintext.size());
    const std::size_t header = headerSize + state.peerIdSize;
    unsigned char *const explicitPart = m_record.data() + header;
    unsigned char *const inner = explicitPart + m_algorithm.explicitIvSize;
    const std::size_t whole = m_algorithm.explicitIvSize + size + 1 + m_algorithm.tagSize;
    beginRecord(ContentType::WithId, sequence);
    std::copy_n(state.peerId.data(), state.peerIdSize, m_record.data() + Record::idPlace);
    qToBigEndian(static_cast<quint16>(whole), explicitPart - 2);
    std::memcpy(explicitPart, m_record.data() + sequencePlace, m_algorithm.explicitIvSize);
    std::memcpy(inner, content.plaintext.data(), size);
    inner[size] = static_cast<unsigned char>(content.type);

    const AeadCipher::Nonce nonce = nonceOf(state.write, m_record.data() + sequencePlace);
    const IdData data({m_record.data(), header}, size + 1);
    return cipher.process(nonce, data.view(), {inner, size + 1 + m_algorithm.tagSize})
               ? recordOf(header + whole)
               : QByteArrayView();
}

void RecordProtection::beginRecord(ContentType type, std::uint64_t sequence)
{
    m_record[0] = static_cast<unsigned char>(type);
    m_record[1] = 0xfe;
    m_record[2] = 0xfd; // DTLS 1.2
    qToBigEndian(sequence, m_record.data() + sequencePlace);
}

QByteArrayView RecordProtection::recordOf(std::size_t size) const
{
    return {reinterpret_cast<const char *>(m_record.data()), static_cast<qsizetype>(size)};
}

/// From the explicit part of a record's nonce, or from its sequence number: both have 8 bytes.
AeadCipher::Nonce RecordProtection::nonceOf(const AssociationState::Key &key,
                                            const unsigned char *part) const
{
    AeadCipher::Nonce nonce = key.iv;
    const bool isExplicit = m_algorithm.explicitIvSize > 0; // RFC 5288 §3; else RFC 7905 §2
    for (std::size_t i = 0; i < sizeof(std::uint64_t); ++i) {
        unsigned char &byte = nonce[nonce.size() - sizeof(std::uint64_t) + i];
        byte = isExplicit ? part[i] : static_cast<unsigned char>(byte ^ part[i]);
    }
    return nonce;
}

RecordProtection::Content RecordProtection::open(AssociationState &state, Place &place,
                                                 const Record &record)
{
    state.verdict = AssociationState::Verdict::Refused;
    ReplayWindow window(state.window);
    if (record.epoch != AssociationState::epoch || !state.isFormOf(record) ||
        !record.isOfDtls12() || !m_limits.fits(record.fragment()))
        return {};
    if (!window.isNew(record.sequence)) {
        // The path may have made a copy of the peer's Finished, as of all of its last flight.
        const bool isLikeAFinished =
            record.hasId()
                ? m_limits.plaintextSize(record.fragment()) == SuiteLimits::finishedSize + 1
                : record.type == ContentType::Handshake &&
                      m_limits.isAsLongAsAFinished(record.fragment());
        state.verdict = isLikeAFinished ? AssociationState::Verdict::Unknown
                                        : AssociationState::Verdict::Repeated;
        return {};
    }
    Ciphers *ciphers = ciphersOf(state, place);
    if (!ciphers)
        return {};
    const QByteArrayView plaintext = record.hasId()
                                         ? openedWithId(*ciphers->openWithId, state, record)
                                         : opened(ciphers->open, record);
    if (plaintext.isNull()) {
        state.verdict = AssociationState::Verdict::Forged;
        ++state.forgeries;
        return {};
    }
    window.note(record.sequence);
    const Content content = record.hasId() ? innerOf(plaintext) : Content{record.type, plaintext};
    if (!content.plaintext.isNull())
        state.verdict = AssociationState::Verdict::Authentic;
    return content;
}

/// The content of a DTLSInnerPlaintext (RFC 9146 §4); null if it has no type.
RecordProtection::Content RecordProtection::innerOf(QByteArrayView inner)
{
    while (inner.endsWith('\0'))
        inner.chop(1);
    if (inner.isEmpty())
        return {};
    const auto type = static_cast<ContentType>(static_cast<unsigned char>(inner.back()));
    return {type, inner.chopped(1)};
}

QByteArrayView RecordProtection::openOwn(const AssociationState &state, const Record &record)
{
    RecordCipher cipher(m_algorithm, RecordCipher::Direction::Open);
    return m_limits.fits(record.fragment()) && cipher.use(state.write, 0) ? opened(cipher, record)
                                                                          : QByteArrayView();
}

QByteArrayView RecordProtection::sealAsPeer(const AssociationState &state, std::uint64_t sequence,
                                            const Content &content)
{
    RecordCipher cipher(m_algorithm, RecordCipher::Direction::Seal);
    const std::uint64_t number = withEpoch(sequence);
    return cipher.use(state.read, number) ? sealed(cipher, number, content) : QByteArrayView();
}

/// Null: the record is not authentic.
QByteArrayView RecordProtection::opened(RecordCipher &cipher, const Record &record)
{
    const QByteArrayView fragment = record.fragment();
    const auto size = static_cast<std::size_t>(fragment.size());
    std::memcpy(m_record.data(), fragment.data(), size);
    RecordCipher::AdditionalData data;
    std::memcpy(data.data(), record.bytes.data() + sequencePlace, sizeof record.sequence);
    std::memcpy(data.data() + sizeof record.sequence, record.bytes.data(), sequencePlace);
    std::memcpy(data.data() + lengthPlace, record.bytes.data() + lengthPlace, 2);
    if (!cipher.process(data, {m_record.data(), size}))
        return {};
    return {reinterpret_cast<const char *>(m_record.data()) + m_algorithm.explicitIvSize,
            m_limits.plaintextSize(fragment)};
}

/// Null: the record is not authentic.
QByteArrayView RecordProtection::openedWithId(AeadCipher &cipher, const AssociationState &state,
                                              const Record &record)
{
    const QByteArrayView header = record.header();
    const QByteArrayView fragment = record.fragment();
    const auto bytes = [](QByteArrayView view) {
        return reinterpret_cast<const unsigned char *>(view.data());
    };
    const unsigned char *const part =
        m_algorithm.explicitIvSize > 0 ? bytes(fragment) : bytes(header.sliced(sequencePlace));
    const QByteArrayView sealed =
        fragment.sliced(static_cast<qsizetype>(m_algorithm.explicitIvSize));
    std::memcpy(m_record.data(), sealed.data(), static_cast<std::size_t>(sealed.size()));
    const qsizetype size = m_limits.plaintextSize(fragment);
    const IdData data({bytes(header), static_cast<std::size_t>(header.size())},
                      static_cast<std::size_t>(size));
    const bool isAuthentic =
        cipher.process(nonceOf(state.read, part), data.view(),
                       {m_record.data(), static_cast<std::size_t>(sealed.size())});
    return isAuthentic ? recordOf(static_cast<std::size_t>(size)) : QByteArrayView();
}

void RecordProtection::forget(const AssociationState &state, Place place)
{
    if (place >= m_recent.size() || m_recent[place].owner != &state)
        return;
    Ciphers &ciphers = m_recent[place];
    ciphers.owner = nullptr;
    // Overwrites the keys; if it fails, OpenSSL has dropped them already.
    static_cast<void>(ciphers.open.use({}, 0));
    static_cast<void>(ciphers.seal.use({}, 0));
    for (auto *cipher : {&ciphers.openWithId, &ciphers.sealWithId}) {
        if (*cipher)
            static_cast<void>((*cipher)->use({}));
    }
}

} // namespace dtlsd
