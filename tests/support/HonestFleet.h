// SPDX-License-Identifier: Apache-2.0
//
// HonestFleet: well-behaved devices that send numbered messages all the time: each only after the
// receipt for the one before, repeated until its receipt comes. The server must answer with `reply
// = echo`, so that a receipt tells its message.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/DtlsClient.h"
#include "support/ChildProcess.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QList>
#include <QObject>
#include <QTimer>

#include <memory>
#include <vector>

namespace dtlsd::test {

class HonestFleet : public QObject
{
    Q_OBJECT

public:
    /// @p size devices with these @p options.
    HonestFleet(int size, const DtlsClient::Options &options);
    ~HonestFleet() override;

    /// Opens the sessions, and begins to send. false: not all of them opened before @p deadline.
    [[nodiscard]] bool start(const SocketAddress &server,
                             QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Waits until every device has receipts for two more messages: the server has then handled all
    /// datagrams that came before. false: not by @p deadline.
    [[nodiscard]] bool goRound(QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Sends no new messages and waits for the missing receipts. false: not all of them came.
    [[nodiscard]] bool settle(QDeadlineTimer deadline = QDeadlineTimer(patience));

    /// Distinct messages sent, and distinct messages with a receipt.
    [[nodiscard]] int asked() const { return m_asked; }
    [[nodiscard]] int answered() const { return m_answered; }
    /// The longest time from a message to its receipt, in milliseconds.
    [[nodiscard]] qint64 longestWait() const { return m_longestWait; }
    /// Sessions that ended, and receipts for messages never sent; should be 0.
    [[nodiscard]] int failures() const { return m_failures; }

    /// All messages that were sent.
    [[nodiscard]] QList<QByteArray> messages() const;
    /// Where the devices send from.
    [[nodiscard]] QList<SocketAddress> addresses() const;

private:
    struct Device;

    static QByteArray message(std::size_t device, int number);
    void ask(std::size_t index);
    void take(std::size_t index, const QByteArray &receipt);

    std::vector<std::unique_ptr<Device>> m_devices;
    bool m_settling = false;
    int m_connected = 0;
    int m_asked = 0;
    int m_answered = 0;
    int m_failures = 0;
    qint64 m_longestWait = 0;
};

} // namespace dtlsd::test
