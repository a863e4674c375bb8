// SPDX-License-Identifier: Apache-2.0
//
// What clients send: a number, and dots up to the size that is wanted.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dtlsd::bench {

/// Every message begins with its number, in so many digits, so that none is like another and each
/// can be found in what comes back, or in the journal.
inline constexpr std::size_t numberSize = 10;

/// Writes the number of a message over what is at @p digits.
inline void writeNumber(char *digits, std::uint64_t number)
{
    for (std::size_t i = numberSize; i-- > 0; number /= 10)
        digits[i] = static_cast<char>('0' + number % 10);
}

/// nullopt: @p message has none.
inline std::optional<std::uint64_t> readNumber(std::string_view message)
{
    if (message.size() < numberSize)
        return std::nullopt;
    std::uint64_t number = 0;
    const char *expected = message.data() + numberSize;
    const auto [end, error] = std::from_chars(message.data(), expected, number);
    return error == std::errc() && end == expected ? std::optional(number) : std::nullopt;
}

/// A message of @p size bytes, at least numberSize.
inline std::string message(std::uint64_t number, std::size_t size)
{
    std::string text(std::max(size, numberSize), '.');
    writeNumber(text.data(), number);
    return text;
}

} // namespace dtlsd::bench
