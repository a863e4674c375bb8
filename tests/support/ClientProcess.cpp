// SPDX-License-Identifier: Apache-2.0
#include "support/ClientProcess.h"

#include <QRegularExpression>
#include <QStandardPaths>

#include <utility>

namespace dtlsd::test {

namespace {

QString programOf(ClientProcess::Kind kind)
{
    switch (kind) {
    case ClientProcess::Kind::OpenSsl:
        return QStringLiteral("openssl");
    case ClientProcess::Kind::GnuTls:
        return QStringLiteral("gnutls-cli");
    case ClientProcess::Kind::MbedTls:
        return QStringLiteral(DTLSD_MBEDTLS_CLIENT);
    case ClientProcess::Kind::WolfSsl:
        break;
    }
    return QStringLiteral(DTLSD_WOLFSSL_CLIENT);
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
            arguments + options.arguments +
                QStringList{QString::fromUtf8(options.server.addressUtf8())}};
}

Command lineClient(const ClientProcess::Options &options)
{
    QStringList arguments{QString::fromUtf8(options.server.addressUtf8()),
                          QString::number(options.server.port())};
    if (!options.cipher.isEmpty())
        arguments << options.cipher;
    return {programOf(options.kind), arguments + options.arguments};
}

/// What stands before the suite in its output.
QByteArray cipherLabel(ClientProcess::Kind kind)
{
    switch (kind) {
    case ClientProcess::Kind::OpenSsl:
        return "Ciphersuite: ";
    case ClientProcess::Kind::GnuTls:
        return "- Description: ";
    case ClientProcess::Kind::MbedTls:
    case ClientProcess::Kind::WolfSsl:
        break;
    }
    return "suite: ";
}

} // namespace

bool ClientProcess::isAvailable(Kind kind)
{
    return !QStandardPaths::findExecutable(programOf(kind)).isEmpty();
}

QString ClientProcess::version(Kind kind)
{
    ChildProcess process;
    const QString option =
        kind == Kind::OpenSsl ? QStringLiteral("version") : QStringLiteral("--version");
    if (!process.run({programOf(kind), {option}}) || !process.waitForEnd())
        return {};
    static const QRegularExpression upToItsNumber(QStringLiteral("^[^0-9]*[0-9.]+"));
    return upToItsNumber.match(QString::fromUtf8(process.readAllStandardOutput())).captured();
}

ClientProcess::ClientProcess(Options options)
    : m_options(std::move(options))
{
    if (m_options.kind != Kind::MbedTls && m_options.kind != Kind::WolfSsl)
        return;
    setEnvironment(QStringLiteral("PSK_IDENTITY"), m_options.identity);
    setEnvironment(QStringLiteral("PSK_KEY"), QString::fromLatin1(m_options.key.toHex()));
}

void ClientProcess::setEnvironment(const QString &name, const QString &value)
{
    QProcessEnvironment environment = m_process.processEnvironment();
    if (environment.isEmpty())
        environment = QProcessEnvironment::systemEnvironment();
    environment.insert(name, value);
    m_process.setProcessEnvironment(environment);
}

Command ClientProcess::command() const
{
    switch (m_options.kind) {
    case Kind::OpenSsl:
        return openSsl(m_options);
    case Kind::GnuTls:
        return gnuTls(m_options);
    case Kind::MbedTls:
    case Kind::WolfSsl:
        break;
    }
    return lineClient(m_options);
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
    if (m_options.kind != Kind::GnuTls) {
        m_connected = m_options.kind == Kind::OpenSsl ? m_notes.contains("CONNECTION ESTABLISHED")
                                                      : !cipher().isEmpty();
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

bool ClientProcess::isConnected()
{
    readOutput();
    return m_connected;
}

QByteArray ClientProcess::takeReplies()
{
    readOutput();
    return m_connected ? std::exchange(m_replies, {}) : QByteArray();
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
    const QByteArray label = cipherLabel(m_options.kind);
    const qsizetype begin = m_notes.indexOf(label);
    const qsizetype end = begin < 0 ? -1 : m_notes.indexOf('\n', begin);
    if (end < 0)
        return {};
    return QString::fromLatin1(m_notes.sliced(begin + label.size(), end - begin - label.size()));
}

} // namespace dtlsd::test
