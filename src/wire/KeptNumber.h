// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace dtlsd {

/// A number of a session that may outlive the process. It is one aligned word, written at once and
/// before what follows it in the program, so it is whole at whatever instruction the process is
/// killed; the bits that it does not need are a check.
class KeptNumber
{
public:
    static constexpr unsigned bits = 49; ///< one more than a sequence number of DTLS has
    static constexpr std::uint64_t greatest = (std::uint64_t{1} << bits) - 1;

    /// @p value is at most greatest.
    constexpr KeptNumber(std::uint64_t value = 0) // NOLINT(google-explicit-constructor): a number
        : m_word(wordOf(value))
    {
    }

    constexpr operator std::uint64_t() const // NOLINT(google-explicit-constructor)
    {
        return m_word & greatest;
    }
    KeptNumber &operator=(std::uint64_t value)
    {
        std::atomic_ref(m_word).store(wordOf(value), std::memory_order_release);
        return *this;
    }
    KeptNumber &operator++() { return *this = *this + 1; }
    std::uint64_t operator++(int)
    {
        const std::uint64_t before = *this;
        ++*this;
        return before;
    }

    /// false: this is no number that was written here.
    [[nodiscard]] constexpr bool isSound() const { return m_word == wordOf(m_word & greatest); }

private:
    /// Not 0 for any value, and another one when any bit is flipped.
    static constexpr std::uint64_t wordOf(std::uint64_t value)
    {
        return (value + 1) * 0x9e37'79b9'7f4a'7c15U >> bits << bits | value;
    }

    std::uint64_t m_word;
};

} // namespace dtlsd
