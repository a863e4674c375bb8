// SPDX-License-Identifier: Apache-2.0
//
// AssociationState: what is left of a DTLS association once its handshake is complete, as a plain
// value. The session owns it, the TLS backend of ours works in it, and nothing else of the
// association outlives the handshake. Qt's backend does not know it: its phase stays Absent, and of
// the rest there are only the verdict and what isUsedUp() counts.
#pragma once

#include "wire/Alert.h"
#include "wire/ConnectionId.h"
#include "wire/KeptNumber.h"
#include "wire/Record.h"
#include "wire/SuiteLimits.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace dtlsd {

struct AssociationState
{
    /// The backend option of a QSslConfiguration that holds its address, as a void pointer.
    static constexpr char option[] = "AssociationState";

    static constexpr std::uint16_t epoch = 1; ///< of every record that it protects
    static constexpr std::uint64_t lastSequence = (std::uint64_t{1} << 48) - 1;

    enum class Phase : std::uint8_t { Absent, Open, Closed };

    /// Connection IDs in both directions (RFC 9146).
    enum class Ids : std::uint8_t {
        Off,
        Offered, ///< to the peer, should it ask
        Agreed
    };

    /// Bytes; a peer that asks for longer IDs gets none.
    static constexpr std::size_t longestPeerId = 32;

    /// Bytes of the record of a Finished that overtakes what it needs, and so has to be held.
    /// Without an ID it has at most 61; with one, there may be padding (RFC 9146 §4).
    static constexpr qsizetype longestHeldFinished = 256;

    /// On the last record of the peer.
    enum class Verdict : std::uint8_t {
        Refused,     ///< not of this association, or authentic and not allowed
        Repeated,    ///< it was there before, or is too old to tell
        Forged,      ///< its tag is wrong
        Authentic,   ///< with plaintext, without any, or a Finished again
        Routability, ///< authentic, with a message of RFC 9853
        Closed,      ///< authentic close_notify: the end
        Alerted,     ///< authentic fatal alert: the end
        Unknown,     ///< perhaps a copy of the Finished; or empty, where Qt's backend does not tell
        Broken       ///< Qt's backend has ended the session
    };

    /// One direction of the key block (RFC 5246 §6.3); the rest of both arrays is 0.
    struct Key
    {
        std::array<unsigned char, 32> key{};
        std::array<unsigned char, 12> iv{};
    };

    /// The records of the peer (RFC 6347 §4.1.2.6).
    struct Window
    {
        KeptNumber top = 0;     ///< highest authentic sequence number
        std::uint64_t seen = 0; ///< bit n: top - n was authentic; 0: none was yet

        friend bool operator==(const Window &, const Window &) = default;
    };

    // What the handshake has agreed on, see agreed():
    Key read;
    Key write;
    std::array<unsigned char, SuiteLimits::finishedSize> finished{}; ///< ours, with its header
    std::array<unsigned char, 12> peerVerifyData{};                  ///< of the peer's Finished
    ConnectionId id;                                   ///< in records of the peer, unless Off
    std::array<unsigned char, longestPeerId> peerId{}; ///< in records for it, unless empty
    std::uint16_t suite = 0;                           ///< IANA's number
    std::uint16_t maximumPlaintext = Record::maximumPlaintext; ///< bytes (RFC 6066 §4)
    std::uint8_t peerIdSize = 0;                               ///< bytes
    Ids ids = Ids::Off;
    bool checksPaths = false; ///< return routability was agreed on (RFC 9853)
    std::array<unsigned char, 5> unused{};

    // What each record may change; what must not be lost is written before the record leaves, or
    // before its plaintext is returned:
    KeptNumber nextSequence = 0;      ///< of the next record to be sent
    KeptNumber nextClearSequence = 0; ///< the same in epoch 0, where a repeated flight begins
    Window window;
    KeptNumber forgeries = 0;
    ContentType sends = ContentType::ApplicationData; ///< type of the next plaintext for the peer
    /// Closed before a close_notify leaves, Open before our Finished does.
    Phase phase = Phase::Absent;
    Verdict verdict = Verdict::Refused;
    Alert alert; ///< of Verdict::Alerted

    /// The bytes that do not change while it is Open.
    [[nodiscard]] std::span<const std::byte> agreed() const
    {
        return std::as_bytes(std::span(this, 1)).first(offsetof(AssociationState, nextSequence));
    }
    /// Whether each number is one that was written there.
    [[nodiscard]] bool isSound() const
    {
        return nextSequence.isSound() && nextClearSequence.isSound() && window.top.isSound() &&
               forgeries.isSound();
    }
    [[nodiscard]] bool hasId() const { return ids == Ids::Agreed; }
    [[nodiscard]] bool sealsWithId() const { return hasId() && peerIdSize > 0; }
    /// Whether a sealed record of the peer has the ID that it has to have, or none.
    [[nodiscard]] bool isFormOf(const Record &record) const
    {
        return record.hasId() == hasId() && (!hasId() || record.id() == id);
    }
    [[nodiscard]] QByteArrayView finishedView() const
    {
        return {reinterpret_cast<const char *>(finished.data()), SuiteLimits::finishedSize};
    }
    /// Whether its keys may protect no more records (RFC 9325 §4.4). What the peer has sent is
    /// known by its sequence numbers, lost records included.
    [[nodiscard]] bool isUsedUp(const SuiteLimits &limits) const
    {
        return nextSequence >= limits.records || window.top >= limits.records ||
               forgeries >= limits.forgeries;
    }
};

static_assert(std::is_trivially_copyable_v<AssociationState> &&
              std::is_standard_layout_v<AssociationState>);
static_assert(offsetof(AssociationState, nextSequence) == 176 && sizeof(AssociationState) == 224,
              "without padding in agreed()");

} // namespace dtlsd
