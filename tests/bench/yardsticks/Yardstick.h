// SPDX-License-Identifier: Apache-2.0
//
// Shared by the yardsticks: the command line and the key.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include <openssl/crypto.h>

namespace dtlsd::bench {

/// dtlsd's default; with a smaller buffer, another server would lose more.
inline constexpr int receiveBufferSize = 4 << 20;

struct Yardstick
{
    std::uint16_t port = 0;
    std::string key;

    /// Reads PORT and KEYFILE, whose first line is `identity:hexkey`; every identity has that key.
    /// Prints errors.
    static std::optional<Yardstick> parse(int argc, char **argv)
    {
        const unsigned long port = argc == 3 ? std::strtoul(argv[1], nullptr, 10) : 0;
        std::string line;
        std::array<unsigned char, 64> key{};
        std::size_t size = 0;
        if (port == 0 || port > 65535) {
            std::cerr << "usage: " << argv[0] << " PORT KEYFILE\n";
            return std::nullopt;
        }
        std::ifstream file(argv[2]);
        std::getline(file, line);
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos ||
            OPENSSL_hexstr2buf_ex(key.data(), key.size(), &size, line.c_str() + colon + 1, '\0') !=
                1) {
            std::cerr << argv[2] << ": the first line is not identity:hexkey\n";
            return std::nullopt;
        }
        return Yardstick{static_cast<std::uint16_t>(port),
                         std::string(key.begin(), key.begin() + static_cast<long>(size))};
    }
};

} // namespace dtlsd::bench
