// SPDX-License-Identifier: Apache-2.0
//
// PersistentDevice: a device on a bad path. DTLS retransmits handshake flights but no messages (RFC
// 6347 §4.1), so the device repeats each message until it is acknowledged, and tries again, a
// bounded number of times, when a handshake fails. The server has to echo, so that a receipt tells
// its message.
#pragma once

#include "core/SocketAddress.h"
#include "support/DeviceLink.h"

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <memory>
#include <vector>

namespace dtlsd::test {

class PersistentDevice : public QObject
{
    Q_OBJECT

public:
    struct Task
    {
        MakeLink makeLink;
        SocketAddress server;
        QList<QByteArray> messages; ///< sent one after the other
        int handshakes = 1;         ///< at most
        std::chrono::milliseconds repeatAfter{400};
        /// Between a receipt and the next message.
        std::chrono::milliseconds pause{0};
        /// After how many repetitions without an answer it opens a new session, since the server
        /// may have lost the old one; 0 = never.
        int patience = 0;
    };

    /// @p count messages that no other @p device has.
    static QList<QByteArray> messagesOf(int device, int count);

    explicit PersistentDevice(Task task);

    void start();
    /// Sends close_notify, if it is connected.
    void close();

    /// Every message has its receipt.
    [[nodiscard]] bool isDone() const { return m_acknowledged == m_task.messages.size(); }
    /// Done, or no handshake left.
    [[nodiscard]] bool isOver() const { return isDone() || m_gaveUp; }
    [[nodiscard]] int handshakesBegun() const { return m_begun; }
    [[nodiscard]] const QList<QByteArray> &messages() const { return m_task.messages; }
    /// How often it sent message @p index.
    [[nodiscard]] int timesSent(qsizetype index) const
    {
        return m_sent[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] qsizetype acknowledged() const { return m_acknowledged; }
    /// Why its links ended.
    [[nodiscard]] QStringList endings() const { return m_endings; }

private:
    void begin();
    void sendCurrent();
    void repeat();
    void onReceived(const QByteArray &reply);
    void onEnded(const QString &reason);

    const Task m_task;
    int m_begun = 0;
    bool m_gaveUp = false;
    int m_unanswered = 0; // repetitions
    qsizetype m_acknowledged = 0;
    std::vector<int> m_sent;
    QStringList m_endings;
    QTimer m_repeat;
    QTimer m_next;
    QTimer m_anew;
    std::unique_ptr<DeviceLink> m_link; // last: its signals at its end use the others
};

} // namespace dtlsd::test
