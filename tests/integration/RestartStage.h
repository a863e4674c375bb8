// SPDX-License-Identifier: Apache-2.0
//
// RestartStage: a dtlsd under a service manager that keeps descriptors, devices that talk to it
// through relays all the time, and what has to be true whatever ends its processes. Half of the
// devices have connection IDs, and can move.
#pragma once

#include "support/Relay.h"
#include "support/ServiceManager.h"
#include "support/TalkingDevice.h"
#include "support/Wiretap.h"

#include <QByteArray>
#include <QMap>
#include <QSet>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace dtlsd::test {

class RestartStage
{
public:
    struct Settings
    {
        int withIds = 6;
        int withoutIds = 6;
        int workers = 2;
        QByteArray server = "reply = echo\n"; ///< lines of the section of that name
        QByteArray limits = {};               ///< likewise
        /// What happens to datagrams, but for those of handshakes.
        FaultRates faults = {};
        std::vector<FaultRule> rules = {};
        std::uint64_t seed = 1;
        int handshakes = 1; ///< of a device, at most
        /// Of a device, between a receipt and its next message.
        std::chrono::milliseconds pause{30};
        /// After how many repetitions of a message a device opens a new session; 0 = never.
        int patience = 0;
        ServiceManager::Options manager = {};
    };

    explicit RestartStage(Settings settings);
    ~RestartStage();

    /// Starts the daemon; devices() are there then, and silent. false: see trouble().
    [[nodiscard]] bool startDaemon();
    void startDevices();
    /// startDaemon(), and waits until devices have opened their sessions and talk.
    [[nodiscard]] bool start();
    /// The daemon's own words, and where each device is.
    [[nodiscard]] QString trouble();

    [[nodiscard]] ServiceManager &manager() { return *m_manager; }
    [[nodiscard]] DaemonProcess &daemon() { return m_manager->daemon(); }
    [[nodiscard]] const SocketAddress &server() const { return m_server; }
    using Devices = std::vector<std::unique_ptr<TalkingDevice>>;
    /// Those with IDs first.
    [[nodiscard]] const Devices &devices() const { return m_devices; }
    [[nodiscard]] bool hasId(const TalkingDevice &device) const;
    [[nodiscard]] TalkingDevice &withId(int number)
    {
        return *m_devices[static_cast<std::size_t>(number)];
    }
    [[nodiscard]] TalkingDevice &withoutId(int number)
    {
        return withId(m_settings.withIds + number);
    }
    [[nodiscard]] Relay &relayWithIds() { return *m_withIds; }
    [[nodiscard]] Relay &relayWithoutIds() { return *m_withoutIds; }

    [[nodiscard]] QByteArray configuration() const;
    // Changes of it, for the next process.
    void setWorkers(int workers);
    void setServer(const QByteArray &lines);
    void setLimits(const QByteArray &lines);
    void setCiphers(const QByteArray &ciphers);
    /// The lines of the section of @p device; null: no section.
    void setIdentity(const TalkingDevice &device, const QByteArray &lines);
    /// `key = …`, as it is at first.
    [[nodiscard]] static QByteArray keyLine();

    /// From now on devices with IDs are seen at other addresses.
    void move();
    /// Waits until every device that @p isMeant has receipts for two more messages: the server has
    /// then handled all that these sent before. false: not by @p deadline.
    using Which = std::function<bool(const TalkingDevice &)>;
    [[nodiscard]] bool goRound(const Which &isMeant = {},
                               QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// Lets devices finish their last messages, and be silent.
    [[nodiscard]] bool settle(QDeadlineTimer deadline = QDeadlineTimer(patience));
    void goOn();
    /// Sends all recorded datagrams of devices once more.
    std::size_t replay();
    /// As many devices that were not there before shake hands, once, and get receipts once all of
    /// them have sessions.
    [[nodiscard]] bool servesNewcomers(int count = 2);
    /// SIGKILL or whatever, and the next process.
    [[nodiscard]] bool endAndStart(int signal);
    [[nodiscard]] bool restart();

    /// From now on @p count devices open sessions, talk a little and close them, and begin again.
    void letComeAndGo(int count);

    /// Sessions that are open by the control socket: their numbers, by identity.
    [[nodiscard]] QMap<QByteArray, QStringList> openSessions();
    /// Payloads in the log, in its order.
    [[nodiscard]] QList<QByteArray> loggedPayloads();

    /// Of datagrams in a session, as logged.
    enum class Sequences { Whatever, Increase, HaveNoGap };
    /// What must not happen to anybody, one line each: a receipt without an entry, an entry of what
    /// was never sent, two entries for one datagram, sequence numbers that go back, and two
    /// ciphertexts under one nonce.
    [[nodiscard]] QStringList breaches(Sequences sequences = Sequences::Increase);
    [[nodiscard]] QStringList repeatedNonces() const
    {
        return m_tapWithIds.repeatedNonces() + m_tapWithoutIds.repeatedNonces();
    }
    /// Devices that @p isMeant that have shaken hands twice, or were heard in more than one
    /// session; one line each.
    [[nodiscard]] QStringList comebacks(const Which &isMeant = {});

private:
    void rewrite();
    void makeDevices();
    [[nodiscard]] std::unique_ptr<TalkingDevice> makeVisitor(bool hasId, int handshakes);
    /// At an address that no other has had, as the taps tell associations apart by that.
    [[nodiscard]] MakeLink linkMaker(const QByteArray &identity, bool hasId, int number,
                                     std::chrono::milliseconds handshakeTimeout);
    [[nodiscard]] FaultPlan plan() const;
    [[nodiscard]] QList<QJsonObject> datagrams();

    Settings m_settings;
    SocketAddress m_server;
    QByteArray m_ciphers = "iot";
    QMap<QByteArray, QByteArray> m_identities; // lines of their sections
    Wiretap m_tapWithIds;
    Wiretap m_tapWithoutIds;
    std::unique_ptr<ServiceManager> m_manager;
    std::unique_ptr<Relay> m_withIds;
    std::unique_ptr<Relay> m_withoutIds;
    Devices m_devices;
    Devices m_visitors;
    QTimer m_visits;
    quint32 m_addresses = 0; // that were used
    std::mt19937_64 m_random;
};

} // namespace dtlsd::test
