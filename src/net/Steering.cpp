// SPDX-License-Identifier: Apache-2.0
#include "net/Steering.h"

#include "net/DatagramSocket.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <linux/filter.h>
#include <sys/socket.h>

namespace dtlsd {

namespace {

constexpr std::uint32_t byHash = 0xffff'ffff; // a number that no socket has

} // namespace

Result<> Steering::attachTo(int descriptor) const
{
    // The kernel runs it on the payload of UDP. Loading a byte beyond the end would end it with 0,
    // and one socket would get all short datagrams: hence the look at the length.
    std::array<sock_filter, 8> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, chooserPlace, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, firstByte, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, chooserPlace),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),
        BPF_STMT(BPF_RET | BPF_A, 0),
        BPF_STMT(BPF_RET | BPF_K, byHash),
    }};
    const sock_fprog attached{program.size(), program.data()};
    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) ==
        0)
        return success();
    const int error = errno;
    return Error{QStringLiteral("cannot steer datagrams among the sockets at %1: %2")
                     .arg(DatagramSocket::addressOf(descriptor).toString(),
                          QString::fromLocal8Bit(std::strerror(error)))};
}

void Steering::detachFrom(int descriptor)
{
    const int unused = 0;
    // Fails where there is nothing to end, and in kernels that do not have the option.
    static_cast<void>(
        setsockopt(descriptor, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused));
}

} // namespace dtlsd
