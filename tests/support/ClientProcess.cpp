// SPDX-License-Identifier: Apache-2.0
#include "support/ClientProcess.h"

#include <QStandardPaths>

#include <utility>

namespace dtlsd::test {

namespace {

QString programOf(ClientProcess::Kind kind)
{
    return kind == ClientProcess::Kind::OpenSsl ? QStringLiteral("openssl")
                                                : QStringLiteral("gnutls-cli");
}

Command openSsl(const ClientProcess::Options &options)
{
    // -brief: replies alone on standard output; unlike -quiet, the end of input ends the client.
    QStringList arguments{QStringLiteral("s_client"),
                          options.protocol,
                          QStringLiteral("-brief"),
                          QStringLiteral("-connect"),
                          options.server.toString(),
                          QStringLiteral("-psk_identity"),
                          options.identity,
                          QStringLiteral("-psk"),
                          QString::fromLatin1(options.key.toHex())};
    if (!options.cipher.isEmpty())
        arguments << QStringLiteral("-cipher") << options.cipher;
    return {programOf(options.kind), arguments + options.arguments};
}

Command gnuTls(const ClientProcess::Options &options)
{
    QString priority = QStringLiteral("NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:+ECDHE-PSK");
    if (!options.cipher.isEmpty())
        priority += u':' + options.cipher;
    const QStringList arguments{QStringLiteral("--udp"),
                                QStringLiteral("--priority"),
                                priority,
                                QStringLiteral("--pskusername"),
                                options.identity,
                                QStringLiteral("--pskkey"),
                                QString::fromLatin1(options.key.toHex()),
                                QStringLiteral("--port"),
                                QString::number(options.server.port())};
    return {programOf(options.kind),
            arguments + options.arguments + QStringList{options.server.addressText()}};
}

} // namespace

bool ClientProcess::isAvailable(Kind kind)
{
    return !QStandardPaths::findExecutable(programOf(kind)).isEmpty();
}

ClientProcess::ClientProcess(Options options)
    : m_options(std::move(options))
{
}

Command ClientProcess::command() const
{
    return m_options.kind == Kind::OpenSsl ? openSsl(m_options) : gnuTls(m_options);
}

bool ClientProcess::launch()
{
    return m_process.run(command());
}

bool ClientProcess::connectToServer(QDeadlineTimer deadline)
{
    const auto decided = [this] {
        readOutput();
        return m_connected || !m_process.isRunning();
    };
    return launch() && waitUntil(decided, deadline) && m_connected;
}

void ClientProcess::readOutput()
{
    m_notes += m_process.readAllStandardError();
    m_replies += m_process.readAllStandardOutput();
    if (m_connected)
        return;
    if (m_options.kind == Kind::OpenSsl) {
        m_connected = m_notes.contains("CONNECTION ESTABLISHED");
        return;
    }
    const QByteArray bannerEnd = "- Simple Client Mode:\n\n";
    const qsizetype end = m_replies.indexOf(bannerEnd);
    if (end < 0)
        return;
    m_notes += m_replies.first(end);
    m_replies.remove(0, end + bannerEnd.size());
    m_connected = true;
}

bool ClientProcess::send(const QByteArray &line)
{
    if (m_options.kind == Kind::OpenSsl && (line.startsWith('Q') || line.startsWith('R')))
        return false;
    const QByteArray bytes = line + '\n';
    return m_process.write(bytes) == bytes.size() &&
           waitUntil([this] { return m_process.bytesToWrite() == 0; }, QDeadlineTimer(patience));
}

std::optional<QByteArray> ClientProcess::waitForReply(QDeadlineTimer deadline)
{
    const auto answered = [this] {
        const bool ended = !m_process.isRunning();
        readOutput();
        return (m_connected && !m_replies.isEmpty()) || ended;
    };
    waitUntil(answered, deadline);
    if (!m_connected || m_replies.isEmpty())
        return std::nullopt;
    return std::exchange(m_replies, {});
}

std::optional<QByteArray> ClientProcess::exchange(const QByteArray &line, QDeadlineTimer deadline)
{
    return send(line) ? waitForReply(deadline) : std::nullopt;
}

std::optional<int> ClientProcess::close(QDeadlineTimer deadline)
{
    m_process.closeWriteChannel();
    const bool ended = m_process.waitForEnd(deadline);
    readOutput();
    if (!ended || m_process.exitStatus() != QProcess::NormalExit)
        return std::nullopt;
    return m_process.exitCode();
}

QString ClientProcess::cipher() const
{
    const QByteArray label = m_options.kind == Kind::OpenSsl ? "Ciphersuite: " : "- Description: ";
    const qsizetype begin = m_notes.indexOf(label);
    if (begin < 0)
        return {};
    const qsizetype end = m_notes.indexOf('\n', begin);
    return QString::fromLatin1(m_notes.sliced(begin + label.size(), end - begin - label.size()));
}

} // namespace dtlsd::test
