// SPDX-License-Identifier: Apache-2.0
//
// What the programs of this folder agree on: who the devices are and what they send.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace dtlsd::bench {

inline constexpr char keyHex[] = "00112233445566778899aabbccddeeff";

/// Every message begins with its number, in so many digits, so that none is like another and each
/// can be found in the journal.
inline constexpr std::size_t numberSize = 10;

/// Devices have identities of the same length: `load-0007`.
inline std::string identity(int session)
{
    std::array<char, 16> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "load-%04d", session % 10'000));
    return text.data();
}

/// Writes the number of a message over what is at @p digits.
inline void writeNumber(char *digits, std::size_t number)
{
    for (std::size_t i = numberSize; i-- > 0; number /= 10)
        digits[i] = static_cast<char>('0' + number % 10);
}

/// A message of @p size bytes, at least numberSize.
inline std::string message(std::size_t number, std::size_t size)
{
    std::string text(std::max(size, numberSize), '.');
    writeNumber(text.data(), number);
    return text;
}

} // namespace dtlsd::bench
