// SPDX-License-Identifier: Apache-2.0
//
// Common to the programs of this folder: the devices. Their messages are those of dtls-bench.
#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace dtlsd::bench {

inline constexpr char keyHex[] = "00112233445566778899aabbccddeeff";

/// Devices have identities of the same length: `load-0007`.
inline std::string identity(int session)
{
    std::array<char, 16> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "load-%04d", session % 10'000));
    return text.data();
}

} // namespace dtlsd::bench
