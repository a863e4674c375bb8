// SPDX-License-Identifier: Apache-2.0
#include "tools/dtls-send/Conversation.h"

#include "core/Console.h"
#include "core/Escape.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>

#include <unistd.h>

namespace dtlsd {

namespace {

constexpr qsizetype noLimit = std::numeric_limits<qsizetype>::max();

} // namespace

Conversation::Conversation(Options options)
    : m_options(std::move(options))
    , m_client(m_options.client)
    , m_waiting(m_options.messages.begin(), m_options.messages.end())
{
    m_isTerminal = ::isatty(STDOUT_FILENO) == 1;
    m_replyDeadline.setSingleShot(true);
    connect(&m_replyDeadline, &QTimer::timeout, this, [this] {
        finish(NoReply, QStringLiteral("no reply within %1 ms; the datagram may be lost or not "
                                       "logged")
                            .arg(m_options.replyTimeout.count()));
    });
    connect(&m_client, &DtlsClient::connected, this, [this] {
        if (m_options.messages.isEmpty())
            readStandardInput();
        sendNext();
    });
    connect(&m_client, &DtlsClient::received, this, &Conversation::handleReply);
    connect(&m_client, &DtlsClient::failed, this, &Conversation::handleFailure);
    connect(&m_client, &DtlsClient::closed, this,
            [this] { finish(NoReply, QStringLiteral("the server closed the session")); });
}

void Conversation::start()
{
    if (!m_output.open(stdout, QIODevice::WriteOnly))
        return handleOutputFailure();
    if (const Result<> connecting = m_client.connectTo(m_options.server); !connecting)
        finish(HandshakeFailed, connecting.error().message);
}

void Conversation::readStandardInput()
{
    m_inputEnded = false;
    m_input = std::make_unique<QSocketNotifier>(STDIN_FILENO, QSocketNotifier::Read);
    connect(m_input.get(), &QSocketNotifier::activated, this, [this] {
        std::array<char, 4096> room{};
        const ssize_t size = read(STDIN_FILENO, room.data(), room.size());
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        m_partialLine.append(room.data(), qMax<qsizetype>(size, 0));
        for (qsizetype end = 0; (end = m_partialLine.indexOf('\n')) >= 0;) {
            m_waiting.push_back(m_partialLine.first(end));
            m_partialLine.remove(0, end + 1);
        }
        if (size <= 0) {
            if (!m_partialLine.isEmpty())
                m_waiting.push_back(m_partialLine);
            m_inputEnded = true;
        }
        sendNext();
    });
}

void Conversation::sendNext()
{
    while (!m_awaitsReply && !m_waiting.empty() && !m_finished) {
        const QByteArray message = m_waiting.front();
        m_waiting.pop_front();
        if (message.isEmpty())
            continue; // DTLS has no empty message
        if (!m_client.send(message)) {
            finish(NoReply, QStringLiteral("a message of %1 bytes cannot be sent; 1 to 16384 are "
                                           "accepted")
                                .arg(message.size()));
            return;
        }
        m_awaitsReply = m_options.wantsReply;
    }
    // Reads no further than it has sent, so that a large input does not fill the memory.
    if (m_input)
        m_input->setEnabled(m_waiting.empty() && !m_inputEnded);
    if (m_awaitsReply)
        m_replyDeadline.start(m_options.replyTimeout);
    else if (m_inputEnded && m_waiting.empty())
        finish(Success);
}

void Conversation::handleReply(const QByteArray &reply)
{
    m_output.write((m_isTerminal ? escaped(reply, noLimit).toUtf8() : reply) + '\n');
    if (!m_output.flush())
        return handleOutputFailure();
    m_replyDeadline.stop();
    m_awaitsReply = false;
    sendNext();
}

void Conversation::handleOutputFailure()
{
    finish(OutputFailed,
           QStringLiteral("standard output cannot be written: %1").arg(m_output.errorString()));
}

void Conversation::handleFailure(DtlsClient::Failure failure)
{
    const QString advice =
        failure == DtlsClient::Failure::Timeout
            ? QStringLiteral("; the server is not there, or it does not accept this identity and "
                             "key")
            : QString();
    finish(HandshakeFailed, QStringLiteral("no session with %1: %2%3")
                                .arg(m_options.server.toString(), m_client.errorString(), advice));
}

void Conversation::finish(Status status, const QString &problem)
{
    if (m_finished)
        return;
    m_finished = true;
    m_replyDeadline.stop();
    if (m_input)
        m_input->setEnabled(false);
    m_client.close();
    if (!problem.isEmpty())
        say(stderr, QStringLiteral("dtls-send: %1\n").arg(problem));
    Q_EMIT finished(status);
}

} // namespace dtlsd
