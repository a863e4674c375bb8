// SPDX-License-Identifier: Apache-2.0
//
// Relay: a bad network on loopback, in the test's own event loop, between any number of clients and
// one server. It drops, delays, reorders, duplicates and truncates datagrams by a FaultPlan, and
// logs its decisions. The decisions for client number n come from seed + n, and so are the same in
// every run.
#pragma once

#include "core/SocketAddress.h"
#include "support/FaultPlan.h"
#include "support/RelayLink.h"
#include "support/RelayLog.h"

#include <QHostAddress>
#include <QObject>
#include <QUdpSocket>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace dtlsd::test {

class Wiretap;

class Relay : public QObject
{
    Q_OBJECT

public:
    Relay(const SocketAddress &server, FaultPlan plan);

    /// Where clients send, instead of to the server.
    [[nodiscard]] SocketAddress address() const;
    [[nodiscard]] const RelayLog &log() const { return m_log; }
    [[nodiscard]] std::size_t clients() const { return m_links.size(); }

    /// From now on the server sees each client at an address that @p place returns, with a new
    /// port.
    void moveAll(const std::function<QHostAddress()> &place);
    /// Calls @p watcher with each datagram that a client has sent, before it is carried.
    void setWatcher(std::function<void(const QByteArray &)> watcher)
    {
        m_watcher = std::move(watcher);
    }
    /// Tells @p tap, which outlives it, all that is sent from now on.
    void setTap(Wiretap *tap) { m_tap = tap; }
    /// Carries to the server once more all that the tap has of it, each from where its client is
    /// now; slowly, so that the server's buffers take it. Returns the number of datagrams.
    std::size_t replay();
    /// Closes links that carried nothing for @p silence; for runs with many short-lived clients.
    void forgetSilent(std::chrono::milliseconds silence);

private:
    void readFromClients();
    RelayLink &linkOf(const SocketAddress &client);

    const SocketAddress m_server;
    const FaultPlan m_plan;
    RelayLog m_log;
    std::function<void(const QByteArray &)> m_watcher;
    Wiretap *m_tap = nullptr;
    QUdpSocket m_socket;
    int m_clientsSeen = 0;
    std::unordered_map<SocketAddress, std::unique_ptr<RelayLink>> m_links;
};

} // namespace dtlsd::test
