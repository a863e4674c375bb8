// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace dtlsd {

/// How many descriptors this process may have open: RLIMIT_NOFILE, the soft limit.
inline int descriptorLimit()
{
    rlimit limit{};
    static_cast<void>(getrlimit(RLIMIT_NOFILE, &limit)); // fails only for unknown limits
    return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}

/// Owns a file descriptor, or none.
class Descriptor
{
public:
    Descriptor() = default;
    explicit Descriptor(int number)
        : m_number(number)
    {
    }
    Descriptor(Descriptor &&other) noexcept
        : m_number(std::exchange(other.m_number, -1))
    {
    }
    Descriptor &operator=(Descriptor &&other) noexcept
    {
        std::swap(m_number, other.m_number);
        return *this;
    }
    ~Descriptor()
    {
        if (m_number >= 0)
            ::close(m_number);
    }

    [[nodiscard]] int number() const { return m_number; } ///< negative: none
    [[nodiscard]] bool isOpen() const { return m_number >= 0; }
    /// Passes the ownership to the caller.
    [[nodiscard]] int release() { return std::exchange(m_number, -1); }

private:
    int m_number = -1;
};

} // namespace dtlsd
