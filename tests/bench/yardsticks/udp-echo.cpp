// SPDX-License-Identifier: Apache-2.0
//
// Usage: udp-echo PORT
// The service behind dtlsd where `forward` is measured: a UDP echo on 127.0.0.1 as a good service
// is written, with one thread and one socket, and a system call for up to 64 datagrams. Prints
// `ready` on standard output.
#include "bench/yardsticks/Yardstick.h"

#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace {

constexpr unsigned batch = 64;
constexpr std::size_t datagramSize = std::size_t{16} << 10;

/// Datagrams and the addresses that they came from, which are those that they go to.
struct Batch
{
    Batch()
        : bytes(batch * datagramSize)
    {
        for (std::size_t i = 0; i < batch; ++i) {
            messages[i].msg_hdr.msg_name = &peers[i];
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
            parts[i].iov_base = bytes.data() + i * datagramSize;
        }
    }

    /// How many there are; waits for the first.
    unsigned receive(int socket)
    {
        for (std::size_t i = 0; i < batch; ++i) {
            messages[i].msg_hdr.msg_namelen = sizeof peers[i];
            parts[i].iov_len = datagramSize;
        }
        const int count = recvmmsg(socket, messages.data(), batch, MSG_WAITFORONE, nullptr);
        for (int i = 0; i < count; ++i)
            parts[static_cast<std::size_t>(i)].iov_len =
                messages[static_cast<std::size_t>(i)].msg_len;
        return count > 0 ? static_cast<unsigned>(count) : 0;
    }

    void send(int socket, unsigned count)
    {
        for (unsigned sent = 0; sent < count;) {
            const int more = sendmmsg(socket, &messages[sent], count - sent, 0);
            if (more > 0)
                sent += static_cast<unsigned>(more);
            else if (errno != EINTR)
                ++sent; // its sender has gone
        }
    }

    std::vector<char> bytes;
    std::array<sockaddr_in, batch> peers{};
    std::array<iovec, batch> parts{};
    std::array<mmsghdr, batch> messages{};
};

} // namespace

int main(int argc, char **argv)
{
    const unsigned long port = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
    if (port == 0 || port > 65535) {
        std::cerr << "usage: " << argv[0] << " PORT\n";
        return EXIT_FAILURE;
    }
    const int socket = dtlsd::bench::makeSocket(static_cast<std::uint16_t>(port));
    if (socket < 0) {
        std::cerr << "port " << port << ": " << std::strerror(errno) << "\n";
        return EXIT_FAILURE;
    }
    std::cout << "ready\n" << std::flush;
    for (Batch datagrams;;)
        datagrams.send(socket, datagrams.receive(socket));
}
