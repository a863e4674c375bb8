// SPDX-License-Identifier: Apache-2.0
//
// MemoryNetwork: one DtlsServer and any number of DtlsClients, wired together without a network.
// Nothing moves until a test lets it, so that it can hold back, change and repeat datagrams.
#pragma once

#include "dtls/DtlsClient.h"
#include "dtls/DtlsServer.h"
#include "support/MemorySocket.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace dtlsd::test {

class MemoryNetwork
{
public:
    /// A server that accepts `sensor-17` with key(), unless @p settings say otherwise.
    explicit MemoryNetwork(const ServerSettings &settings = defaultSettings(),
                           const QByteArray &cookieSecret = randomSecret());
    /// Another worker of @p sibling's process, with devices of its own.
    MemoryNetwork(ServerSettings settings, const MemoryNetwork &sibling);
    ~MemoryNetwork();

    static PskKey key();
    static ServerSettings defaultSettings();
    static DtlsClient::Options defaultClient();
    static SocketAddress serverAddress();
    static SocketAddress clientAddress(int number);

    struct Device
    {
        SocketAddress address;
        std::unique_ptr<DtlsClient> client;
        MemorySocket *socket = nullptr; // the client's
        std::vector<QByteArray> received;
    };

    /// A client at clientAddress(@p number), with its first hello on the way.
    Device &add(int number, DtlsClient::Options options = defaultClient());
    Device &add(const SocketAddress &address, DtlsClient::Options options = defaultClient());
    /// A client whose cookie is verified and whose last flight never comes.
    Device &addHalfOpen(const SocketAddress &address);
    /// Removes a device without close_notify.
    void crash(Device &device);

    /// Carries datagrams in both directions until none is left, except those that @p lose picks.
    using Lose = std::function<bool(const OutgoingDatagram &)>;
    void run(const Lose &lose = {});
    /// Takes the datagrams that the device has sent; they are not carried.
    static std::vector<QByteArray> takeSent(Device &device);
    /// Hands the server a datagram as if @p from had sent it.
    void arrive(const SocketAddress &from, const QByteArray &datagram);

    /// From now on time passes by advance() alone, for all workers of the process.
    void stopClock();
    /// Advances the time while no server runs.
    void letPass(std::chrono::milliseconds duration);
    /// Advances the time, and runs the server's due tasks.
    void advance(std::chrono::milliseconds duration);

    /// From now on sessions are kept in a store with room for @p slots.
    void keepSessions(std::size_t slots = 64);
    enum class End {
        Killed, ///< the process, at once
        Left    ///< it has left its sessions to the next
    };
    /// Another process, with @p settings, takes a copy of the stores over. Devices do not notice.
    Takeover::Count restart(End end, ServerSettings settings = defaultSettings());
    /// The same, with stores that the test has made or changed.
    Takeover::Count restartWith(std::vector<std::unique_ptr<SessionStore>> stores,
                                ServerSettings settings = defaultSettings());

    /// What the server tells of its sessions, in the order of comesFirst().
    [[nodiscard]] std::vector<SessionReport> sessions() const
    {
        return server->list({.limit = SessionQuery::maximumLimit}).next(0).reports;
    }

    /// Events of type @p Event so far.
    template <class Event>
    std::vector<Event> events() const
    {
        std::vector<Event> found;
        for (const ServerEvent &event : m_events) {
            if (const auto *value = std::get_if<Event>(&event))
                found.push_back(*value);
        }
        return found;
    }

    std::unique_ptr<DtlsServer> server;
    MemorySocket *serverSocket = nullptr;
    std::vector<SessionStore *> stores; // the server's
    std::vector<Datagram> datagrams;
    bool reply = true; ///< whether receipts are given at once

private:
    /// State that the workers of a process share.
    struct Process
    {
        std::optional<TimeSource::Clock::time_point> stoppedAt;
        std::shared_ptr<SharedState> shared;

        void begin(const Limits &limits, const QByteArray &cookieSecret);
    };
    void begin(ServerSettings settings);

    MemoryNetwork(ServerSettings settings, std::shared_ptr<Process> process);
    static std::shared_ptr<Process> newProcess(const Limits &limits,
                                               const QByteArray &cookieSecret);

    bool carryToServer(const Lose &lose);
    bool carryToDevices(const Lose &lose);

    const std::shared_ptr<Process> m_process;
    std::vector<std::function<void(DtlsServer &)>> m_posted; // to the server, not yet run
    std::vector<std::unique_ptr<Device>> m_devices;
    std::vector<ServerEvent> m_events;
};

} // namespace dtlsd::test
