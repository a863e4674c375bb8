// SPDX-License-Identifier: Apache-2.0
//
// SessionSlot: what is left of an open session when its process ends, as a plain value of fixed
// layout; see SessionStore. Whoever can read it can read what was recorded of the session.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/Events.h"
#include "wire/AssociationState.h"
#include "wire/KeptNumber.h"

#include <QByteArrayView>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace dtlsd {

struct SessionSlot
{
    /// To be increased with each change of SessionSlot, and of what is in it.
    static constexpr std::uint32_t layout = 1;

    using Time = std::chrono::microseconds; ///< CLOCK_BOOTTIME, which no process resets

    static constexpr std::uint64_t rests = std::uint64_t{1} << 48;
    static constexpr std::chrono::minutes rest{5};

    /// Names a key, to its holders alone: HMAC with the key of the session's number.
    using KeyMark = std::array<unsigned char, 16>;

    /// A checksum, against bits that flip: who could forge a store could as well read it.
    using Check = std::uint64_t;
    [[nodiscard]] static Check checkOf(std::span<const std::byte> bytes);

    /// See Whereabouts.
    struct Place
    {
        Path path;
        Path proved;
        std::uint64_t group = 0; ///< DatagramSocket::group() of its socket
        Check check = 0;

        [[nodiscard]] Check rightCheck() const;
    };

    AssociationState association;

    // Does not change while it is valid:
    SessionId id{};
    std::int64_t established = 0; ///< Time
    KeyMark key{};
    std::uint8_t identitySize = 0; ///< bytes
    std::array<char, 255> identity{};
    Check check = 0; ///< of these, and of what the handshake has agreed on

    // Changed by each record, or now and then:
    Place place;
    std::int64_t touched = 0; ///< Time
    Traffic received;
    Traffic sent;
    /// For the address of its socket to a local service; 0: it has none. With the bit `rests` a
    /// free slot still has it, and in `touched` when its session has ended.
    std::uint64_t service = 0;
    Check windowCheck = 0; ///< of association.window, if nothing came after the process had left it
    KeptNumber isValid = 0; ///< written last, and cleared first

    [[nodiscard]] QByteArrayView identityView() const { return {identity.data(), identitySize}; }
    [[nodiscard]] Check rightCheck() const;
    [[nodiscard]] Check rightWindowCheck() const;
    /// Whether it holds a session that is neither damaged nor at its end.
    [[nodiscard]] bool isSound() const;
};

static_assert(std::is_trivially_copyable_v<SessionSlot> && std::is_standard_layout_v<SessionSlot> &&
              sizeof(SessionSlot) == 696);

} // namespace dtlsd
