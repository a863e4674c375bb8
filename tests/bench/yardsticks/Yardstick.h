// SPDX-License-Identifier: Apache-2.0
//
// Shared by the yardsticks: the command line, the key and the socket.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

namespace dtlsd::bench {

/// dtlsd's default; with a smaller buffer, another server would lose more.
inline constexpr int receiveBufferSize = 4 << 20;

/// A UDP socket at 127.0.0.1; -1: the port is taken.
inline int makeSocket(std::uint16_t port)
{
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int size = receiveBufferSize;
    static_cast<void>(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    return bind(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0
               ? descriptor
               : -1;
}

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
