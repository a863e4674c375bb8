// SPDX-License-Identifier: Apache-2.0
#include "wire/SuiteLimits.h"

namespace dtlsd {

namespace {

constexpr std::uint64_t two14 = std::uint64_t{1} << 14;
constexpr std::uint64_t two23 = std::uint64_t{1} << 23;
constexpr std::uint64_t two23AndAHalf = 11'863'283;
constexpr std::uint64_t two24AndAHalf = 23'726'566;
constexpr std::uint64_t two36 = std::uint64_t{1} << 36;
constexpr std::uint64_t two48 = std::uint64_t{1} << 48;

constexpr qsizetype explicitNonceSize = 8; // RFC 5288 §3; ChaCha20 has none (RFC 7905 §2)
constexpr qsizetype tagSize = 16;

// The limit of the sequence number (RFC 6347 §4.1): the key cannot be used further anyway.
constexpr SuiteLimits chaCha20{two48, two36, tagSize, 0};
// RFC 8446 §5.5 and RFC 9147 §4.5.3
constexpr SuiteLimits gcm{two24AndAHalf, two36, explicitNonceSize + tagSize, explicitNonceSize};
// RFC 9147 §B.1 and §B.2
constexpr SuiteLimits ccm{two23, two23AndAHalf, explicitNonceSize + tagSize, explicitNonceSize};
// CCM-8 has a tag of 64 bits. For the margin of the other suites RFC 9147 §B.3 computes 2^7, and
// warns that anybody could then end sessions cheaply. This limit leaves a forger a chance of 2^-50,
// and costs him 16,384 datagrams to end a session, which its device then begins anew.
constexpr SuiteLimits ccm8{two23, two14, explicitNonceSize + tagSize / 2, explicitNonceSize};

} // namespace

const SuiteLimits &SuiteLimits::of(QByteArrayView cipher)
{
    if (cipher.endsWith("CHACHA20-POLY1305"))
        return chaCha20;
    if (cipher.contains("-GCM-"))
        return gcm;
    return cipher.endsWith("-CCM") ? ccm : ccm8;
}

} // namespace dtlsd
