// SPDX-License-Identifier: Apache-2.0
#include "support/clients/LineClient.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dtlsd::test {

namespace {

enum ExitStatus { Success = 0, WrongUsage = 1, Failed = 2 };

std::optional<std::string> fromHex(std::string_view hex)
{
    std::string bytes;
    for (; hex.size() >= 2; hex.remove_prefix(2)) {
        const std::string digits(hex.substr(0, 2));
        char *end = nullptr;
        bytes += static_cast<char>(std::strtoul(digits.c_str(), &end, 16));
        if (*end != '\0')
            return std::nullopt;
    }
    return hex.empty() ? std::optional(bytes) : std::nullopt;
}

std::optional<LineClient::Credentials> credentialsFromEnvironment()
{
    const char *identity = std::getenv("PSK_IDENTITY");
    const char *hex = std::getenv("PSK_KEY");
    const auto key = hex ? fromHex(hex) : std::nullopt;
    const char *id = std::getenv("CONNECTION_ID");
    const auto connectionId = id ? fromHex(id) : std::nullopt;
    if (!identity || !key || key->empty() || (id && !connectionId))
        return std::nullopt;
    return LineClient::Credentials{identity, *key, connectionId};
}

/// -1: HOST or PORT is wrong, or cannot be reached.
int connectedSocket(const char *host, const char *port)
{
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo *found = nullptr;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    int socket = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket >= 0 && connect(socket, found->ai_addr, found->ai_addrlen) != 0) {
        close(socket);
        socket = -1;
    }
    freeaddrinfo(found);
    return socket;
}

/// Binds @p descriptor to another port, of @p address unless that is empty. false: it cannot.
bool move(int descriptor, const std::string &address)
{
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr *>(&peer), &length) != 0)
        return false;
    const int socket = ::socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo *found = nullptr;
    bool isDone = address.empty() || getaddrinfo(address.c_str(), nullptr, &hints, &found) == 0;
    isDone = isDone && (!found || bind(socket, found->ai_addr, found->ai_addrlen) == 0);
    isDone = isDone && connect(socket, reinterpret_cast<sockaddr *>(&peer), length) == 0 &&
             dup2(socket, descriptor) == descriptor;
    if (found)
        freeaddrinfo(found);
    close(socket);
    return isDone;
}

int complain(ExitStatus status, const std::string &what)
{
    std::cerr << "error: " << what << '\n';
    return status;
}

} // namespace

LineClient::~LineClient() = default;

int LineClient::run(int argc, char **argv)
{
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::cout << version() << '\n' << std::flush;
        return Success;
    }
    const auto credentials = credentialsFromEnvironment();
    if (argc < 3 || argc > 4 || !credentials)
        return complain(WrongUsage, "usage: PSK_IDENTITY=ID PSK_KEY=HEX PROGRAM HOST PORT [SUITE]");
    const int socket = connectedSocket(argv[1], argv[2]);
    if (socket < 0)
        return complain(WrongUsage, "HOST and PORT are numbers that can be reached");
    const std::string wanted = argc == 4 ? argv[3] : "";
    if (!prepare(*credentials, wanted))
        return complain(WrongUsage, "the library lacks suite " + wanted);
    if (!shakeHands(socket))
        return complain(Failed, error());
    std::cerr << "suite: " + suite() + '\n'; // in one piece
    const int status = converse(socket);
    close(socket);
    return status;
}

int LineClient::converse(int socket)
{
    bool ended = false;
    while (!ended) {
        std::array<pollfd, 2> events{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{socket, POLLIN, 0}};
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
        if (poll(events.data(), events.size(), static_cast<int>(wait.count())) <= 0)
            return complain(Failed, "nothing to do for too long");
        if (events[1].revents != 0)
            printReplies();
        if (isOver())
            return complain(Failed, "the server ended it");
        if (events[0].revents != 0 && !sendLines(ended, socket))
            return complain(Failed, error());
    }
    sayGoodbye();
    return Success;
}

bool LineClient::sendLines(bool &ended, int socket)
{
    std::array<char, 4096> buffer{};
    const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
    ended = size <= 0;
    if (ended)
        return true;
    m_input.append(buffer.data(), static_cast<std::size_t>(size));
    for (auto end = m_input.find('\n'); end != std::string::npos; end = m_input.find('\n')) {
        constexpr std::string_view moveCommand = "!move";
        const std::string_view line = std::string_view(m_input).substr(0, end);
        const bool isMove = line.starts_with(moveCommand);
        const auto address = line.substr(std::min(moveCommand.size() + 1, line.size()));
        if (isMove ? !move(socket, std::string(address)) : !send(line))
            return false;
        m_input.erase(0, end + 1);
    }
    return true;
}

void LineClient::printReplies()
{
    while (const auto reply = receive())
        std::cout << *reply << '\n' << std::flush;
}

} // namespace dtlsd::test
