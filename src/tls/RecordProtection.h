// SPDX-License-Identifier: Apache-2.0
//
// RecordProtection: seals and opens the records of one suite (RFC 6347 §4.1.2, with connection IDs
// RFC 9146 §5), for the sessions of one thread. A session is an AssociationState; the ciphers here
// belong to the sessions used last, which are likely to need them again soon: to change a cipher's
// key costs as much as a record.
//
// Nonces are never repeated under a key: each is the epoch and a sequence number that counts up,
// and is taken before it is used.
#pragma once

#include "tls/AeadCipher.h"
#include "tls/KeyBlock.h"
#include "tls/RecordCipher.h"
#include "wire/AssociationState.h"
#include "wire/CipherSuite.h"
#include "wire/Record.h"
#include "wire/SuiteLimits.h"

#include <QByteArrayView>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include <openssl/ssl.h>

namespace dtlsd {

class RecordProtection
{
public:
    /// Where the ciphers of a session were; kept with the session, initially 0.
    using Place = std::size_t;

    /// Of @p suite, whose cipher must be of kind AEAD.
    explicit RecordProtection(const SSL_CIPHER *suite);

    [[nodiscard]] CipherSuite suite() const { return m_suite; }
    [[nodiscard]] const SuiteLimits &limits() const { return m_limits; }

    /// Sets the keys of @p state from @p secret. false: OpenSSL fails.
    [[nodiscard]] bool begin(AssociationState &state, const KeyBlock::Secret &secret);

    // What these return is valid until the next call of any of them.

    /// The record of @p plaintext, at most Record::maximumPlaintext bytes. Empty: the sequence
    /// numbers are used up (RFC 6347 §4.1), or OpenSSL fails; nothing may be sent then.
    [[nodiscard]] QByteArrayView seal(AssociationState &state, Place &place, ContentType type,
                                      QByteArrayView plaintext);
    /// What was in a record.
    struct Content
    {
        ContentType type = ContentType::Alert;
        QByteArrayView plaintext = {};
    };
    /// Of @p record, if the verdict, which is in @p state, is Authentic; else Refused, Repeated,
    /// Forged or Unknown.
    [[nodiscard]] Content open(AssociationState &state, Place &place, const Record &record);

    // For OpenSSL, which does not know of connection IDs, and of nonces only its own:
    /// The plaintext of a record that it has sealed with the keys of @p state; empty: it is not
    /// authentic.
    [[nodiscard]] QByteArrayView openOwn(const AssociationState &state, const Record &record);
    /// @p content of the peer, as an ordinary record of number @p sequence.
    [[nodiscard]] QByteArrayView sealAsPeer(const AssociationState &state, std::uint64_t sequence,
                                            const Content &content);

    /// Wipes its keys from the ciphers. Call before @p state ends: another at its address has
    /// other keys.
    void forget(const AssociationState &state, Place place);

private:
    struct Ciphers
    {
        explicit Ciphers(const RecordAlgorithm &algorithm)
            : open(algorithm, RecordCipher::Direction::Open)
            , seal(algorithm, RecordCipher::Direction::Seal)
        {
        }

        const AssociationState *owner = nullptr;
        RecordCipher open;
        RecordCipher seal;
        std::unique_ptr<AeadCipher> openWithId; // made when the first session needs it
        std::unique_ptr<AeadCipher> sealWithId;
    };

    [[nodiscard]] Ciphers *ciphersOf(const AssociationState &state, Place &place);
    [[nodiscard]] bool setKeys(Ciphers &ciphers, const AssociationState &state) const;
    [[nodiscard]] QByteArrayView opened(RecordCipher &cipher, const Record &record);
    [[nodiscard]] QByteArrayView openedWithId(AeadCipher &cipher, const AssociationState &state,
                                              const Record &record);
    [[nodiscard]] QByteArrayView sealed(RecordCipher &cipher, std::uint64_t sequence,
                                        const Content &content);
    [[nodiscard]] QByteArrayView sealedWithId(AeadCipher &cipher, const AssociationState &state,
                                              std::uint64_t sequence, const Content &content);
    void beginRecord(ContentType type, std::uint64_t sequence);
    [[nodiscard]] QByteArrayView recordOf(std::size_t size) const;
    [[nodiscard]] AeadCipher::Nonce nonceOf(const AssociationState::Key &key,
                                            const unsigned char *part) const;
    [[nodiscard]] static Content innerOf(QByteArrayView inner);

    CipherSuite m_suite;
    SuiteLimits m_limits;
    RecordAlgorithm m_algorithm;
    KeyBlock m_keyBlock;
    std::vector<Ciphers> m_recent;
    Place m_next = 0; // the place that was given longest ago
    std::array<unsigned char, 16'384 + 128> m_record{};
};

} // namespace dtlsd
