// SPDX-License-Identifier: Apache-2.0
//
// CoapClient: a request by one of libcoap's clients, and what came back. For tests only: its key is
// an argument, which every user of the machine can read.
#pragma once

#include "core/SocketAddress.h"
#include "support/ChildProcess.h"

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

namespace dtlsd::test {

class CoapClient
{
public:
    struct Options
    {
        QString program; ///< coap-client-notls and the like
        SocketAddress server;
        QString identity; ///< empty: CoAP without DTLS
        QByteArray key;
        QString path;
        QStringList arguments; ///< `-m put -e 21.5`
    };

    static bool isAvailable(const QString &program);

    explicit CoapClient(Options options);

    /// Starts it, and returns at once.
    bool launch();
    /// launch(), and waits for its end. false: log() says why.
    [[nodiscard]] bool run(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Waits for its end, as run() does.
    [[nodiscard]] bool finish(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Ends an observation early, and waits for its end.
    [[nodiscard]] bool interrupt();

    /// The messages that it has taken so far, with header, token, options and the beginning of the
    /// payload, as libcoap writes them, without what differs from run to run: the message ID, which
    /// the client has begun at random, and the number in an ETag. Each once: on a busy machine one
    /// may come after it was asked for again.
    [[nodiscard]] QStringList answers();
    /// How many messages it has sent again so far.
    [[nodiscard]] int repetitions();
    /// All payloads so far.
    [[nodiscard]] QByteArray body() const;
    /// What it has printed.
    [[nodiscard]] QString log();

private:
    const Options m_options;
    const QTemporaryDir m_folder;
    ChildProcess m_process;
    QByteArray m_log;
};

} // namespace dtlsd::test
