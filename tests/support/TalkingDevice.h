// SPDX-License-Identifier: Apache-2.0
//
// TalkingDevice: a device that talks all the time: numbered messages, each only after the receipt
// for the one before, repeated until its receipt comes. No two datagrams of all devices are alike:
// `device-3: message 17, copy 2`. The server has to echo, so that a receipt tells its datagram.
#pragma once

#include "core/SocketAddress.h"
#include "support/DeviceLink.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QObject>
#include <QSet>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <memory>

namespace dtlsd::test {

class TalkingDevice : public QObject
{
    Q_OBJECT

public:
    struct Task
    {
        MakeLink makeLink;
        SocketAddress server;
        QByteArray name;
        int handshakes = 1; ///< at most
        std::chrono::milliseconds repeatAfter{200};
        std::chrono::milliseconds pause{30}; ///< between a receipt and the next message
        /// After how many repetitions without an answer it opens a new session; 0 = never.
        int patience = 0;
    };

    explicit TalkingDevice(Task task);

    void start();
    /// No message after the one that waits for its receipt.
    void settle() { m_settles = true; }
    /// Talks again after settle().
    void goOn();
    /// Sends close_notify, if it is connected, and is silent from then on.
    void close();

    [[nodiscard]] const QByteArray &name() const { return m_task.name; }
    [[nodiscard]] bool isConnected() const { return m_isConnected; }
    /// No message waits for its receipt, and none will come.
    [[nodiscard]] bool isSettled() const { return m_settles && m_answered == m_asked; }
    /// Its session has ended, and no handshake is left.
    [[nodiscard]] bool hasGivenUp() const { return m_gaveUp; }
    [[nodiscard]] int handshakesBegun() const { return m_begun; }
    /// Messages that have a receipt.
    [[nodiscard]] int answered() const { return m_answered; }
    /// The longest time from a message to its receipt.
    [[nodiscard]] std::chrono::milliseconds longestWait() const { return m_longestWait; }
    /// All datagrams that it has sent, and those that came back.
    [[nodiscard]] const QSet<QByteArray> &sent() const { return m_sent; }
    [[nodiscard]] const QSet<QByteArray> &receipts() const { return m_receipts; }
    /// Receipts for what it has never sent; should be 0.
    [[nodiscard]] int strangeReceipts() const { return m_strange; }
    /// Why its links ended.
    [[nodiscard]] QStringList endings() const { return m_endings; }

private:
    void begin();
    void ask();
    void sendCopy();
    void repeat();
    void onReceived(const QByteArray &receipt);
    void onEnded(const QString &reason);

    const Task m_task;
    int m_begun = 0;
    bool m_isConnected = false;
    bool m_gaveUp = false;
    bool m_settles = false;
    int m_asked = 0;
    int m_answered = 0;
    int m_copies = 0;     // of the message that waits for its receipt
    int m_unanswered = 0; // of them in this session
    int m_strange = 0;
    QElapsedTimer m_wait;
    std::chrono::milliseconds m_longestWait{0};
    QSet<QByteArray> m_sent;
    QSet<QByteArray> m_receipts;
    QStringList m_endings;
    QTimer m_repeat;
    QTimer m_next;
    QTimer m_anew;
    std::unique_ptr<DeviceLink> m_link; // last: its signals at its end use the others
};

} // namespace dtlsd::test
