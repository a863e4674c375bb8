// SPDX-License-Identifier: Apache-2.0
//
// ControlConnection: one client of a ControlServer, from its connection to its end.
//
//   Asking ── a line ──► Waiting ── an answer, or a part ──► Answering ── all is written ──► end
//     │                    │  ▲                                │   └── it is too slow, or gone ──┘
//     │                    │  └─── there is room for more ─────┘                               │
//     │                    └── the client has gone ────────────────────────────────────────────┘
//     └── a reason to refuse ────────────────────────────────► Answering
//
// A long answer comes in parts, the next one only when the kernel has taken the one before: a
// client that does not read costs one part, and is left after Limits::patience.
//
// It reads and writes the descriptor itself: QLocalSocket closes as soon as its client has finished
// sending, and resets the connection if data is unread.
#pragma once

#include "control/ControlServer.h"
#include "core/Descriptor.h"

#include <QByteArray>
#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

namespace dtlsd {

class ControlConnection : public QObject
{
    Q_OBJECT

public:
    /// Deletes itself after its end. @p answer and @p limits outlive it.
    ControlConnection(Descriptor descriptor, const ControlServer::Answer &answer,
                      const ControlServer::Limits &limits, QObject *parent);

    /// Answers with an error at once, without a request.
    void refuse(const char *code, const QString &error);

    /// Whether no request has come and no data waits to be read.
    [[nodiscard]] bool isSilent() const;
    /// Whether the client no longer waits for an answer. One that has only finished sending
    /// (SHUT_WR) still reads.
    [[nodiscard]] bool isAbandoned() const;
    [[nodiscard]] bool isOpen() const { return m_state != State::Ended; }

private:
    enum class State { Asking, Waiting, Answering, Ended };

    [[nodiscard]] bool hasEvent(short events) const;

    void read();
    void ask(const QByteArray &request);
    void reply(const QByteArray &lines, const Reply::More &more = {});
    void write();
    void goOn();
    void giveUp();
    void end();

    const Descriptor m_descriptor;
    const ControlServer::Answer &m_answer;
    const ControlServer::Limits &m_limits;
    QSocketNotifier m_readable; // enabled while asking
    QSocketNotifier m_writable; // enabled while answering
    QTimer m_patience;
    State m_state = State::Asking;
    QByteArray m_request;
    QByteArray m_unsent;
    Reply::More m_more; // empty: m_unsent is the end of the answer
};

} // namespace dtlsd
