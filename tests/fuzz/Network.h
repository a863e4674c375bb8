// SPDX-License-Identifier: Apache-2.0
//
// Network: one DtlsServer in a time that a program sets, one honest device with an open session, on
// QDtls as the server is, and others that the program controls, on OpenSSL with a record layer that
// holds the keys. There is no network between them. A Witness sees all of it.
#pragma once

#include "dtls/DtlsClient.h"
#include "dtls/DtlsServer.h"
#include "fuzz/ServerVariant.h"
#include "fuzz/Witness.h"
#include "support/KeyedClient.h"
#include "support/MemorySocket.h"

#include <QByteArray>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace dtlsd::fuzz {

class Network
{
public:
    static constexpr int deviceCount = 4;
    /// Of the devices, of one without a device, and, last, of the honest one.
    static constexpr int addressCount = 6;

    struct Device
    {
        std::unique_ptr<test::KeyedClient> client; // nullptr: not begun
        int number = 0;                            // of the client, over all devices
        std::deque<QByteArray> outbox;             ///< sent, and not arrived yet
        std::deque<QByteArray> inbox;
    };

    /// A record that a client protects with its keys.
    struct Wanted
    {
        ContentType type = ContentType::ApplicationData;
        std::uint16_t epoch = 1;
        int offset = 0; ///< of the sequence number, from that of the next record
        QByteArray content = {};
    };

    /// @p variant chooses among settings.
    explicit Network(int variant);

    Device &device(int number) { return m_devices.at(static_cast<std::size_t>(number)); }
    static SocketAddress address(int number);

    /// Puts a new client in the device's place. @p kind says with which of several identities and
    /// keys, with which cipher suite, and which length of records it can take.
    void begin(int number, int kind);
    /// The device sends a message that ends with @p text.
    void say(int number, const QByteArray &text);
    /// The device sends an authentic record. A message gets a number in front.
    void seal(int number, Wanted wanted);
    void closeClient(int number);
    /// The device receives its whole inbox.
    void hear(int number);

    /// The server receives datagrams from address number @p from, in one turn.
    void arrive(int from, const std::vector<QByteArray> &datagrams);
    void giveReceipt(const Outbound &receipt);

    /// Time passes, and the server does what is due.
    void pass(std::chrono::milliseconds duration);
    /// Settings change.
    void apply(int variant);
    /// The operator closes the sessions of a credential's identity.
    void closeSessions(int credential);

    /// The honest device says something, and must be heard and answered.
    void speakHonestly();
    /// Closes the server, and judges.
    void end();

    [[nodiscard]] const Witness &witness() const { return m_witness; }
    /// Every datagram of a client so far.
    [[nodiscard]] const std::vector<QByteArray> &history() const { return m_history; }
    /// Every datagram of the server so far.
    [[nodiscard]] const std::vector<QByteArray> &answers() const { return m_answers; }

private:
    struct Clock
    {
        TimeSource::Clock::time_point now{std::chrono::hours(1)};
        TimeSource::WallClock::time_point wall{std::chrono::hours(500'000)};

        [[nodiscard]] TimeSource source() const;
    };

    void send(Device &device, const QByteArray &datagram);
    [[nodiscard]] bool isReplayOfHandshake(const std::vector<QByteArray> &datagrams);
    void collect(Device &device);
    void collectHonestly();
    void openHonestSession();
    void carryHonestly();
    void hearHonestly();
    void passQuietly(std::chrono::milliseconds duration);
    void settle(const bool *isDone);
    void serve(const std::function<void()> &turn);
    void deliverAnswers();

    Clock m_clock;
    int m_clients = 0;
    int m_messages = 0;
    std::shared_ptr<SharedState> m_shared;
    std::unique_ptr<DtlsServer> m_server;
    test::MemorySocket *m_serverSocket = nullptr;
    Witness m_witness;
    std::unique_ptr<DtlsClient> m_honest;
    test::MemorySocket *m_honestSocket = nullptr;
    std::deque<QByteArray> m_honestOutbox;
    std::deque<QByteArray> m_honestInbox;
    SessionId m_honestSession{};
    TimeSource::Clock::time_point m_honestSince;
    std::vector<QByteArray> m_honestHandshake; // what it sent
    bool m_isGreetedAnew = false;              // since then, by a hello of its address
    std::vector<QByteArray> m_honestReplies;
    std::array<Device, deviceCount> m_devices;
    std::vector<QByteArray> m_history;
    std::vector<QByteArray> m_answers;
    std::int64_t m_grown = 0; // what the server has allocated apart from handshakes
};

} // namespace dtlsd::fuzz
