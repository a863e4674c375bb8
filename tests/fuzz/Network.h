// SPDX-License-Identifier: Apache-2.0
//
// Network: one DtlsServer, one honest device with an open session, and others that a program
// controls, with real QDtls on both sides and no network between them. A Witness sees all of it.
#pragma once

#include "dtls/DtlsClient.h"
#include "dtls/DtlsServer.h"
#include "fuzz/Witness.h"
#include "support/MemorySocket.h"

#include <QByteArray>

#include <array>
#include <deque>
#include <memory>
#include <vector>

namespace dtlsd::fuzz {

class Network
{
public:
    static constexpr int deviceCount = 4;
    /// Of the devices, of one without a device, and, last, of the honest one.
    static constexpr int addressCount = 6;
    static constexpr int credentialCount = 5;

    struct Device
    {
        QByteArray identity;
        std::unique_ptr<DtlsClient> client; // nullptr: not begun
        test::MemorySocket *socket = nullptr;
        std::deque<QByteArray> outbox; ///< sent, and not arrived yet
        std::deque<QByteArray> inbox;
    };

    /// @p variant chooses among settings.
    explicit Network(int variant);

    Device &device(int number) { return m_devices.at(static_cast<std::size_t>(number)); }
    static SocketAddress address(int number);

    /// Puts a new client, with one of several identities and keys, in the device's place.
    void begin(int number, int credential);
    /// The device sends a message that ends with @p text.
    void say(int number, const QByteArray &text);
    void closeClient(int number);
    /// The device receives its whole inbox.
    void hear(int number);

    /// The server receives datagrams from address number @p from, in one turn.
    void arrive(int from, const std::vector<QByteArray> &datagrams);
    void giveReceipt(const Receipt &receipt);

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
    void collect(Device &device);
    void openHonestSession();
    void carryHonestly();
    void hearHonestly();
    [[nodiscard]] std::unique_ptr<DtlsClient> newClient(Device &device, int address,
                                                        DtlsClient::Options options);
    void deliverAnswers(const SocketAddress &asker, qsizetype size);

    int m_clients = 0;
    int m_messages = 0;
    std::unique_ptr<DtlsServer> m_server;
    test::MemorySocket *m_serverSocket = nullptr;
    Witness m_witness;
    Device m_honest;
    SessionId m_honestSession{};
    std::vector<QByteArray> m_honestHandshake; // what it sent
    std::vector<QByteArray> m_honestReplies;
    std::array<Device, deviceCount> m_devices;
    std::vector<QByteArray> m_history;
    std::vector<QByteArray> m_answers;
};

} // namespace dtlsd::fuzz
