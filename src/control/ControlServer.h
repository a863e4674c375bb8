// SPDX-License-Identifier: Apache-2.0
//
// ControlServer: the Unix socket at which the operator's tools ask. A connection is one line with
// a question, and the lines of its answer; then the server closes it. Whoever is too many, too
// slow, too long or not entitled gets an answer that says so, and none of them costs more than a
// bounded piece of memory for a bounded time. Whoever asks does not wait for one that is silent.
#pragma once

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
        qsizetype request = 4096;                                     ///< bytes, with the line feed
        std::chrono::milliseconds patience = std::chrono::seconds(5); ///< for each direction
    };

    /// Takes the lines of an answer; it may be called when the client, or the server, has gone.
    using Reply = std::function<void(const QByteArray &lines)>;
    /// Answers @p request, which has no line feed, now or later, in the same thread.
    using Answer = std::function<void(const QByteArray &request, const Reply &reply)>;

    ControlServer(Answer answer, const Limits &limits);
    ~ControlServer() override;

    /// Listens at @p path, for root, this process's user and its group (mode 0660). Makes the last
    /// folder of @p path if it is missing, and takes the place of a socket where nobody listens.
    /// The error says why not.
    Result<> listen(const QString &path);

private:
    void serve(int client);

    const Answer m_answer;
    const Limits m_limits;
    UnixListener m_listener;
};

} // namespace dtlsd
