// SPDX-License-Identifier: Apache-2.0
//
// ClientProcess: a DTLS client on a foreign stack: OpenSSL's s_client, GnuTLS's gnutls-cli, or one
// of our own clients on Mbed TLS and wolfSSL (support/clients). It sends lines, each as one
// datagram, and returns the server's answers. s_client and gnutls-cli send the newline too, our
// clients print one behind each reply. For tests only: the keys of s_client and gnutls-cli are
// arguments, which every user of the machine can read.
#pragma once

#include "core/SocketAddress.h"
#include "support/ChildProcess.h"

#include <QByteArray>

#include <optional>

namespace dtlsd::test {

class ClientProcess
{
public:
    enum class Kind { OpenSsl, GnuTls, MbedTls, WolfSsl };

    struct Options
    {
        Kind kind = Kind::OpenSsl;
        SocketAddress server;
        QString identity; ///< no NUL, not empty
        QByteArray key;   ///< raw bytes
        /// An OpenSSL cipher string, or what follows GnuTLS's "DTLS 1.2, PSK and ECDHE-PSK", such
        /// as `-CIPHER-ALL:+AES-128-CCM-8`, or a suite as Mbed TLS or wolfSSL spells it; empty =
        /// its own default.
        QString cipher;
        QString protocol = QStringLiteral("-dtls1_2"); ///< s_client's option
        QStringList arguments; ///< more of them, such as s_client's `-bind 127.0.0.1:40000`
    };

    /// false: it is not installed, or the build found no library for it.
    static bool isAvailable(Kind kind);
    /// The version that it reports, such as `OpenSSL 3.0.15`.
    static QString version(Kind kind);

    explicit ClientProcess(Options options);

    /// Before launch().
    void setEnvironment(const QString &name, const QString &value);
    /// Starts it, and returns at once.
    bool launch();
    /// launch(), and waits for the handshake. false: errorText() has the client's messages.
    [[nodiscard]] bool connectToServer(QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// Sends @p line (without its newline). s_client would take one that begins with Q or R as a
    /// command: false, and nothing is sent.
    [[nodiscard]] bool send(const QByteArray &line);
    /// Output since the last call, usually one datagram. nullopt: @p deadline has passed, or the
    /// client has ended.
    [[nodiscard]] std::optional<QByteArray>
    waitForReply(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// send() and waitForReply().
    [[nodiscard]] std::optional<QByteArray>
    exchange(const QByteArray &line, QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// For callers that follow the output by the signals of process(): whether the handshake is
    /// over, and the output since the last call; neither waits.
    [[nodiscard]] bool isConnected();
    [[nodiscard]] QByteArray takeReplies();

    /// Ends its input; it sends close_notify and ends. Returns the exit status, or nullopt as
    /// DaemonProcess::stop() does.
    [[nodiscard]] std::optional<int> close(QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// The suite in the client's own words, after the handshake.
    [[nodiscard]] QString cipher() const;
    /// Its messages about the connection: standard error, and GnuTLS's banner.
    [[nodiscard]] QString errorText() const { return QString::fromUtf8(m_notes); }
    /// For signals and for kill(): a device that vanishes.
    ChildProcess &process() { return m_process; }

private:
    [[nodiscard]] Command command() const;
    void readOutput();

    Options m_options;
    ChildProcess m_process;
    bool m_connected = false;
    QByteArray m_notes;
    QByteArray m_replies; // not given out yet
};

} // namespace dtlsd::test
