// SPDX-License-Identifier: Apache-2.0
//
// EventStage: a daemon, and peers that make it log events: devices, hand-made peers, strangers. All
// of them live as long as the stage. Its functions fail the test as Qt Test's macros do; the caller
// asks currentTestFailed().
#pragma once

#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/LoggedEvent.h"
#include "support/TestKey.h"

#include <QByteArray>
#include <QUdpSocket>

#include <memory>
#include <vector>

namespace dtlsd::test {

class EventStage
{
public:
    static const QByteArray cipher;

    struct Settings
    {
        /// Lines of the section of that name, as the next ones. `{service}` in them is the address
        /// of a local service, which is not there before callService().
        QByteArray server = {};
        QByteArray limits = {};
        QByteArray log = {};
        QByteArray level = "debug";
        QByteArray identities = {}; ///< whole sections
    };

    /// One worker on a port of 127.0.0.1 that the kernel picks, which echoes, takes sensor-17 and,
    /// by default, logs everything. Entries go to @p journal, if there is one.
    EventStage(const Settings &settings, JournalInstance *journal);

    void start();
    /// Stops it, unless it has ended.
    void stop();
    /// Starts a second daemon for the same address, which is taken. log() is its log then.
    void startUnderstudy();

    [[nodiscard]] DaemonProcess &daemon() { return *m_daemon; }
    /// The daemon whose log is to be checked.
    [[nodiscard]] DaemonProcess &log() { return m_understudy ? *m_understudy : *m_daemon; }
    [[nodiscard]] JournalInstance *journal() { return m_journal; }
    [[nodiscard]] SocketAddress server() const { return m_server; }
    /// Values that expected fields may refer to: `server`, `config`, `service`, and `port` of the
    /// first peer.
    [[nodiscard]] Fields facts() { return m_facts; }

    /// A device that begins a handshake, through a socket of its own.
    DtlsClient &knock(const DtlsClient::Options &options, std::uint16_t port = 0);
    /// A device with a session.
    DtlsClient &connectDevice(std::uint16_t port = 0);
    /// Sends @p message, and waits for the echo.
    void exchange(DtlsClient &device, const QByteArray &message);
    /// Sends a raw datagram from the port of @p device.
    void forge(const DtlsClient &device, const QByteArray &datagram);
    /// The device vanishes without close_notify.
    void forget(const DtlsClient &device);

    /// The service is there from now on. It never answers.
    void callService();

    /// Sends a hello with its cookie, from a port that sends nothing more by itself.
    QUdpSocket &helloByHand();
    /// Sends a datagram from a port that sends nothing else.
    void throwIn(const QByteArray &datagram);

    /// The options of a device.
    static DtlsClient::Options sensor(const QByteArray &identity = "sensor-17",
                                      const QByteArray &deviceKey = testKey);

private:
    struct Device
    {
        DatagramSocket *socket; // the client's
        std::unique_ptr<DtlsClient> client;
    };

    void remember(std::uint16_t port);
    static void waitForSession(const DtlsClient &device);
    void beginHandshake(QUdpSocket &peer);
    [[nodiscard]] DatagramSocket *socketOf(const DtlsClient &device) const;

    QUdpSocket m_placeholder; // has the service's port, and takes nothing
    QUdpSocket m_service;
    Fields m_facts;
    const Settings m_settings;
    JournalInstance *m_journal;
    std::unique_ptr<DaemonProcess> m_daemon;
    std::unique_ptr<DaemonProcess> m_understudy;
    SocketAddress m_server;
    std::vector<Device> m_devices;
    std::vector<std::unique_ptr<QUdpSocket>> m_peers;
    QUdpSocket m_stranger;
};

} // namespace dtlsd::test
