// SPDX-License-Identifier: Apache-2.0
//
// LineClient: the common part of the tests' DTLS 1.2 clients, for any library:
//
//   PROGRAM HOST PORT [SUITE]    PSK_IDENTITY and PSK_KEY (hex) in the environment; CONNECTION_ID
//                                (hex, may be empty), to ask for connection IDs
//   PROGRAM --version            the library's name and version
//
// Each line of standard input is sent as one datagram, without its newline; but `!move [ADDRESS]`
// gives it another port, and that address. Each received datagram is a line on standard output.
// Standard error has the suite in one line, or an error. At the end of input it sends close_notify.
// No wait is longer than `patience`. Exit status: 0; 1 wrong usage, or a suite that the library
// lacks; 2 the handshake or a later step failed.
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
        std::string key;                         ///< raw bytes
        std::optional<std::string> connectionId; ///< raw bytes; nullopt: asks for none
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
    /// The handshake on @p socket, which is connected. false: failed, see error().
    virtual bool shakeHands(int socket) = 0;
    /// The negotiated suite.
    [[nodiscard]] virtual std::string suite() const = 0;
    virtual bool send(std::string_view plaintext) = 0;
    /// nullopt: no (further) datagram has come, or the association is over.
    virtual std::optional<std::string> receive() = 0;
    [[nodiscard]] virtual bool isOver() const = 0;
    virtual void sayGoodbye() = 0;
    [[nodiscard]] virtual std::string error() const = 0;

private:
    int converse(int socket);
    bool sendLines(bool &ended, int socket);
    void printReplies();

    std::string m_input; // a line begun, not ended yet
};

} // namespace dtlsd::test
