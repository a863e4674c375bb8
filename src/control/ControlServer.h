// SPDX-License-Identifier: Apache-2.0
//
// ControlServer: the Unix socket for the operator's tools. A connection carries one request line
// and the lines of its answer; then the server closes it. Clients over a limit or without
// permission get an error reply; each costs bounded memory for a bounded time. At the limit of
// connections, a client that has gone, or else a silent one, makes room for a new one.
#pragma once

#include "control/Reply.h"
#include "control/UnixListener.h"
#include "core/Result.h"

#include <QByteArray>
#include <QObject>
#include <QString>

#include <chrono>
#include <functional>

namespace dtlsd {

class ControlServer : public QObject
{
    Q_OBJECT

public:
    struct Limits
    {
        int connections = 16;
        qsizetype request = 32'768; ///< bytes, with the line feed: a datagram as base64
        std::chrono::milliseconds patience =
            std::chrono::seconds(5); ///< for a request, or a part of an answer
    };

    /// Answers @p request, which has no line feed, now or later, in the same thread; the reply may
    /// be called after the client, or the server, has gone.
    using Answer = std::function<void(const QByteArray &request, const Reply &reply)>;

    ControlServer(Answer answer, const Limits &limits);
    ~ControlServer() override;

    /// Listens at @p path, for root, this process's user and its group (mode 0660). Creates the
    /// last folder of @p path if it is missing, and replaces a socket at which nobody listens. The
    /// error says why it failed.
    Result<> listen(const QString &path);

private:
    void serve(int client);

    const Answer m_answer;
    const Limits m_limits;
    UnixListener m_listener;
};

} // namespace dtlsd
