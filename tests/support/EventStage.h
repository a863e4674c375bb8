// SPDX-License-Identifier: Apache-2.0
//
// EventStage: a daemon and those who make it say something: devices, peers by hand, strangers. All
// of them stay until the stage goes. Its functions are Qt Test's: they fail the test, and the
// caller asks currentTestFailed().
#pragma once

#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/LoggedEvent.h"

#include <QByteArray>
#include <QUdpSocket>

#include <memory>
#include <vector>

namespace dtlsd::test {

class EventStage
{
public:
    static const QByteArray key;
    static const QByteArray cipher;

    struct Settings
    {
        QByteArray server = {}; ///< lines of that section, and so on
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
    /// The same configuration once more, for the address that is taken. Its log is log() then.
    void startUnderstudy();

    [[nodiscard]] DaemonProcess &daemon() { return *m_daemon; }
    /// Whose log is to be looked at.
    [[nodiscard]] DaemonProcess &log() { return m_understudy ? *m_understudy : *m_daemon; }
    [[nodiscard]] JournalInstance *journal() { return m_journal; }
    [[nodiscard]] SocketAddress server() const { return m_server; }
    /// What expected fields may refer to: `server`, `config`, and the `port` of the first peer.
    [[nodiscard]] Fields facts() { return m_facts; }

    /// A device that knocks, through a socket of its own.
    DtlsClient &knock(const DtlsClient::Options &options, std::uint16_t port = 0);
    /// One that has a session.
    DtlsClient &connectDevice(std::uint16_t port = 0);
    /// Sends @p message, and waits for the echo.
    void exchange(DtlsClient &device, const QByteArray &message);
    /// Puts a datagram on the wire as it is, from the port of @p device.
    void forge(const DtlsClient &device, const QByteArray &datagram);
    /// The device vanishes without a word.
    void forget(const DtlsClient &device);

    /// A hello with its cookie, from a port that says nothing more by itself.
    QUdpSocket &helloByHand();
    /// A datagram from a port that says nothing else.
    void throwIn(const QByteArray &datagram);

    /// What a device knows.
    static DtlsClient::Options sensor(const QByteArray &identity = "sensor-17",
                                      const QByteArray &deviceKey = key);

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

    const Settings m_settings;
    JournalInstance *m_journal;
    std::unique_ptr<DaemonProcess> m_daemon;
    std::unique_ptr<DaemonProcess> m_understudy;
    SocketAddress m_server;
    Fields m_facts;
    std::vector<Device> m_devices;
    std::vector<std::unique_ptr<QUdpSocket>> m_peers;
    QUdpSocket m_stranger;
};

} // namespace dtlsd::test
