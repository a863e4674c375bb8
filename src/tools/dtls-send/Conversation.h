// SPDX-License-Identifier: Apache-2.0
//
// Conversation: sends messages one by one, each after the reply to the one before, and prints the
// replies, one a line: escaped on a terminal, otherwise byte for byte.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/DtlsClient.h"

#include <QByteArray>
#include <QFile>
#include <QList>
#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

#include <chrono>
#include <deque>
#include <memory>

namespace dtlsd {

class Conversation : public QObject
{
    Q_OBJECT

public:
    enum Status {
        Success = 0,         ///< every message was sent and, unless --no-reply, answered
        NoReply = 1,         ///< a message got no reply in time, or the server closed the session
        HandshakeFailed = 2, ///< no session was established
        OutputFailed = 74    ///< a reply cannot be printed; EX_IOERR of sysexits.h
    };

    struct Options
    {
        SocketAddress server;
        DtlsClient::Options client;
        QList<QByteArray> messages; ///< empty: lines of standard input
        bool wantsReply = true;
        std::chrono::milliseconds replyTimeout = std::chrono::seconds(5);
    };

    explicit Conversation(Options options);

    void start();

Q_SIGNALS:
    /// Emitted once, with the exit status.
    void finished(int status);

private:
    void readStandardInput();
    void sendNext();
    void handleReply(const QByteArray &reply);
    void handleOutputFailure();
    void handleFailure(DtlsClient::Failure failure);
    void finish(Status status, const QString &problem = {});

    const Options m_options;
    DtlsClient m_client;
    QFile m_output;            // standard output
    bool m_isTerminal = false; // m_output is one
    std::unique_ptr<QSocketNotifier> m_input;
    QByteArray m_partialLine;
    std::deque<QByteArray> m_waiting;
    bool m_inputEnded = true;
    bool m_awaitsReply = false;
    bool m_finished = false;
    QTimer m_replyDeadline;
};

} // namespace dtlsd
