// SPDX-License-Identifier: Apache-2.0
//
// LineClient: what DTLS clients of the tests share, whatever library they speak DTLS 1.2 with:
//
//   PROGRAM HOST PORT [SUITE]    PSK_IDENTITY and PSK_KEY (hex) in the environment
//   PROGRAM --version            the library's name and version
//
// Each line of standard input goes out as one datagram, without its newline; each datagram that
// comes is a line on standard output. Standard error has the suite in one line, or what went wrong.
// The end of input is close_notify. No wait is longer than `patience`.
// Exit status: 0; 1 wrong usage, or a suite that the library lacks; 2 the handshake or a later
// step failed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dtlsd::test {

class LineClient
{
public:
    struct Credentials
    {
        std::string identity;
        std::string key; ///< raw bytes
    };

    static constexpr std::chrono::seconds patience{30};

    LineClient() = default;
    LineClient(const LineClient &) = delete;
    LineClient &operator=(const LineClient &) = delete;
    virtual ~LineClient();

    /// The whole of main().
    int run(int argc, char **argv);

protected:
    [[nodiscard]] virtual std::string version() const = 0;
    /// Prepares a client that offers @p suite, in the library's own spelling, and nothing else;
    /// empty = the library's default. false: the library lacks it.
    virtual bool prepare(const Credentials &credentials, const std::string &suite) = 0;
    /// On @p socket, which is connected. false: failed, see error().
    virtual bool shakeHands(int socket) = 0;
    /// What was negotiated.
    [[nodiscard]] virtual std::string suite() const = 0;
    virtual bool send(std::string_view plaintext) = 0;
    /// Nothing: no (further) datagram is there, or the association is over.
    virtual std::optional<std::string> receive() = 0;
    [[nodiscard]] virtual bool isOver() const = 0;
    virtual void sayGoodbye() = 0;
    [[nodiscard]] virtual std::string error() const = 0;

private:
    int converse(int socket);
    bool sendLines(bool &ended);
    void printReplies();

    std::string m_input; // a line begun, not ended yet
};

} // namespace dtlsd::test
