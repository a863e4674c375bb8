// SPDX-License-Identifier: Apache-2.0
//
// ControlPeer: one connection to a control socket, byte by byte: for requests that no tool sends.
// Its calls deliver events while they wait, so that the server may be in the same thread.
#pragma once

#include "support/ChildProcess.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>

#include <optional>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace dtlsd::test {

class ControlPeer
{
public:
    /// The user that connects.
    struct User
    {
        uid_t user = 0;
        gid_t group = 0;
        std::vector<gid_t> furtherGroups;
    };

    explicit ControlPeer(const QString &path);
    /// Connects as @p user, which takes root; file permissions apply to that user.
    ControlPeer(const QString &path, const User &user);
    ControlPeer(ControlPeer &&other) noexcept
        : m_descriptor(std::exchange(other.m_descriptor, -1))
        , m_unfinished(std::exchange(other.m_unfinished, {}))
    {
    }
    ControlPeer &operator=(ControlPeer &&other) noexcept
    {
        std::swap(m_descriptor, other.m_descriptor);
        std::swap(m_unfinished, other.m_unfinished);
        return *this;
    }
    ~ControlPeer();

    [[nodiscard]] bool isConnected() const { return m_descriptor >= 0; }
    /// false: the server takes no more bytes now, or ever.
    bool send(const QByteArray &bytes) const;
    /// Nothing more will be sent (shutdown(2)).
    void endRequest() const;
    /// The rest of the answer, once the server has closed the connection; nullopt if it has not by
    /// @p deadline; what has come is kept for the next call.
    [[nodiscard]] std::optional<QByteArray>
    readAll(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// The bytes of the answer that have come by now.
    QByteArray read();
    /// Whether the last read met the server's end of the connection, and no error.
    [[nodiscard]] bool isAtEnd() const { return m_isAtEnd; }

    /// The objects of an answer, one a line; empty if it is none.
    static QList<QJsonObject> parse(const std::optional<QByteArray> &answer);
    /// Sends a whole request; returns the objects of its answer.
    static QList<QJsonObject> askAll(const QString &path, const QByteArray &request);
    /// Sends a whole request; returns the last object of its answer.
    static QJsonObject ask(const QString &path, const QByteArray &request);

private:
    int m_descriptor = -1;
    QByteArray m_unfinished; // answer
    bool m_isAtEnd = false;
    bool m_hasFailed = false;
};

/// Whether @p answer has `ok`: true.
bool isOk(const QJsonObject &answer);
/// The code of a refusal; empty if @p answer is none.
QString codeOf(const std::optional<QByteArray> &answer);

} // namespace dtlsd::test
