// SPDX-License-Identifier: Apache-2.0
//
// UdpService: a local service behind dtlsd, in the test's own process. It answers only as the test
// says, and only one that is started has a socket.
#pragma once

#include "core/SocketAddress.h"

#include <QByteArray>
#include <QHostAddress>
#include <QUdpSocket>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace dtlsd::test {

class UdpService
{
public:
    struct Question
    {
        QByteArray text;
        SocketAddress from;
    };
    using Handler = std::function<void(const Question &)>;

    /// It is started, at a port of its own.
    explicit UdpService(const QHostAddress &host = QHostAddress(QHostAddress::LocalHost));

    /// At the same address as before.
    void start();
    void stop() { m_socket.reset(); }
    [[nodiscard]] SocketAddress address() const { return {m_host, m_port}; }

    /// From now on each datagram is handed to @p handler when it comes, and take() has none.
    void handleBy(Handler handler);
    /// What has come since the last call.
    [[nodiscard]] std::vector<Question> take();
    /// On loopback it is in the receiver's queue at once.
    void answer(const SocketAddress &to, const QByteArray &text);

private:
    void handle();

    const QHostAddress m_host;
    std::uint16_t m_port = 0;
    Handler m_handler;
    std::unique_ptr<QUdpSocket> m_socket;
};

} // namespace dtlsd::test
