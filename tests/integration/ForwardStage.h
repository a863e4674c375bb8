// SPDX-License-Identifier: Apache-2.0
//
// ForwardStage: dtlsd with a service behind it, in the test's own process, and what the daemon
// says of it.
#pragma once

#include "core/SocketAddress.h"
#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/UdpService.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>

#include <cstdint>
#include <vector>

namespace dtlsd::test {

/// A device that keeps what it hears.
class HearingDevice
{
public:
    /// Its handshake is over; isConnected() says how.
    HearingDevice(const SocketAddress &server, const QByteArray &identity);

    [[nodiscard]] bool isConnected() const { return m_client.isConnected(); }
    bool send(const QByteArray &text) { return m_client.send(text); }
    void close() { m_client.close(); }
    [[nodiscard]] const std::vector<QByteArray> &heard() const { return m_heard; }
    [[nodiscard]] bool hasHeard(const QByteArray &text) const;

private:
    DtlsClient m_client;
    std::vector<QByteArray> m_heard;
};

class ForwardStage
{
public:
    struct Settings
    {
        QByteArray server = {};                     ///< lines of that section, beside `forward`
        QByteArray sections = {};                   ///< further ones
        QByteArray identities = {};                 ///< of `[identity NAME]` each, as below
        QHostAddress host{QHostAddress::LocalHost}; ///< of the service
        JournalInstance *journal = nullptr;         ///< nullptr: JSON lines
        int workers = 1;
    };
    /// All devices have one key, and no name but these: `one`, `two` and `three`, the last with
    /// `forward = none`, `device-0` to `device-19`, and those of the settings.
    explicit ForwardStage(Settings settings);

    /// false: see daemon().errorText().
    [[nodiscard]] bool start();
    [[nodiscard]] DaemonProcess &daemon() { return m_daemon; }
    [[nodiscard]] SocketAddress server() { return m_daemon.addresses().constFirst(); }
    [[nodiscard]] UdpService &service() { return m_service; }
    /// `forward = ` another address; the daemon has not read it yet.
    void setService(const QByteArray &address);

    static QByteArray keyLine();

    /// `status`.
    [[nodiscard]] QJsonObject status() const;
    /// Its number @p name of `forward`, or of `forward`'s `dropped`.
    [[nodiscard]] qint64 forwarded(const char *name) const;
    [[nodiscard]] qint64 dropped(const char *cause) const;
    /// The first sample in `metrics` of that name and with that label; -1: there is none.
    [[nodiscard]] qint64 metric(const QByteArray &name, const QByteArray &label = {}) const;

private:
    [[nodiscard]] QByteArray configuration(const QByteArray &service, std::uint16_t port) const;

    const Settings m_settings;
    UdpService m_service;
    DaemonProcess m_daemon;
};

} // namespace dtlsd::test
