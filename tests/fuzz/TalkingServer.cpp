// SPDX-License-Identifier: Apache-2.0
#include "fuzz/TalkingServer.h"

#include "fuzz/FuzzTarget.h"

#include <QFile>

#include <algorithm>
#include <array>
#include <iterator>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dtlsd::fuzz {

namespace {

constexpr int patience = 5000; // milliseconds; nobody may have come

void tell(int connection, QByteArrayView answer)
{
    while (!answer.isEmpty()) {
        const ssize_t sent = ::send(connection, answer.data(),
                                    static_cast<std::size_t>(answer.size()), MSG_NOSIGNAL);
        if (sent <= 0)
            return; // it has heard enough
        answer = answer.sliced(sent);
    }
}

} // namespace

TalkingServer::TalkingServer()
    : m_path(m_directory.filePath(QStringLiteral("control.sock")))
    , m_descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    const QByteArray name = QFile::encodeName(m_path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(name.size() < qsizetype{sizeof address.sun_path}, "the path of a socket is short");
    std::copy(name.begin(), name.end(), std::begin(address.sun_path));
    require(::bind(m_descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) ==
                    0 &&
                ::listen(m_descriptor, 1) == 0,
            "a socket can be bound");
}

TalkingServer::~TalkingServer()
{
    ::close(m_descriptor);
}

void TalkingServer::say(const QByteArray &answer)
{
    m_thread = std::thread([descriptor = m_descriptor, answer] {
        pollfd waiting{descriptor, POLLIN, 0};
        if (::poll(&waiting, 1, patience) != 1)
            return;
        const int connection = ::accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC);
        tell(connection, answer);
        // Who closes without having read resets the connection.
        ::shutdown(connection, SHUT_WR);
        std::array<char, 512> question{};
        while (::recv(connection, question.data(), question.size(), 0) > 0) {
        }
        ::close(connection);
    });
}

} // namespace dtlsd::fuzz
