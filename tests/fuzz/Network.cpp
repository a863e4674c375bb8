// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Network.h"

#include "fuzz/FuzzTarget.h"

#include <algorithm>
#include <utility>

namespace dtlsd::fuzz {

namespace {

constexpr int honestAddress = Network::addressCount - 1;
constexpr int mostClients = 8; // a QDtls takes its time

const SocketAddress serverAddress(QHostAddress(QStringLiteral("192.0.2.1")), 22334);

PskKey keyOf(char byte)
{
    return PskKey(QByteArray(16, byte));
}

PskIdentity identityWith(char key)
{
    return {.key = keyOf(key), .nextKey = {}, .allowFrom = {}, .reply = {}};
}

/// Caps so small that a program reaches them; one session is the honest one.
Limits smallLimits(int variant)
{
    Limits limits;
    limits.maxSessions = 3;
    limits.maxHalfOpen = 2;
    limits.maxSessionsPerIdentity = (variant & 1) != 0 ? 1 : 0;
    return limits;
}

ServerSettings settingsOf(int variant)
{
    auto identities = std::make_shared<PskStore>();
    identities->add("honest", identityWith('h'));
    identities->add("one", identityWith('1'));
    PskIdentity rotating = identityWith('2');
    rotating.nextKey = keyOf('n');
    rotating.reply = ReplyTemplate::parse(QStringLiteral("echo")).value();
    identities->add("rotating", rotating);
    PskIdentity elsewhere = identityWith('3');
    elsewhere.allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))};
    identities->add("elsewhere", elsewhere);

    ServerSettings settings;
    settings.identities = identities;
    settings.limits = smallLimits(variant);
    settings.keepCiphertext = (variant & 2) != 0;
    if ((variant & 4) != 0)
        settings.tls.unknownIdentity = TlsOptions::UnknownIdentity::Alert;
    if ((variant & 8) != 0)
        settings.reply.identityHint = "dtlsd";
    if ((variant & 16) != 0)
        settings.tls.mtu = 576;
    return settings;
}

std::unique_ptr<DtlsServer> newServer(int variant)
{
    auto settings = std::make_shared<const ServerSettings>(settingsOf(variant));
    return std::make_unique<DtlsServer>(settings, std::make_shared<SharedState>(settings->limits));
}

DtlsClient::Options clientOptions(int credential)
{
    DtlsClient::Options options;
    switch (credential) {
    case 0:
        options.identity = "one";
        options.key = keyOf('1');
        break;
    case 1:
        options.identity = "rotating";
        options.key = keyOf('n');
        break;
    case 2:
        options.identity = "one"; // with a wrong key
        options.key = keyOf('x');
        break;
    case 3:
        options.identity = "nobody";
        options.key = keyOf('x');
        break;
    default:
        options.identity = "elsewhere";
        options.key = keyOf('3');
        break;
    }
    return options;
}

} // namespace

SocketAddress Network::address(int number)
{
    // Two share an IPv4 address, two an IPv6 /64.
    static const std::array<SocketAddress, addressCount> addresses{
        SocketAddress(QHostAddress(QStringLiteral("198.51.100.1")), 1001),
        SocketAddress(QHostAddress(QStringLiteral("198.51.100.1")), 1002),
        SocketAddress(QHostAddress(QStringLiteral("2001:db8::3")), 1003),
        SocketAddress(QHostAddress(QStringLiteral("198.51.100.4")), 1004),
        SocketAddress(QHostAddress(QStringLiteral("2001:db8::5")), 1005),
        SocketAddress(QHostAddress(QStringLiteral("203.0.113.6")), 1006)};
    return addresses.at(static_cast<std::size_t>(number));
}

Network::Network(int variant)
    : m_server(newServer(variant))
    , m_witness(*m_server, smallLimits(variant))
{
    auto socket = std::make_unique<test::MemorySocket>(serverAddress);
    m_serverSocket = socket.get();
    m_server->listen(std::move(socket));
    openHonestSession();
}

std::unique_ptr<DtlsClient> Network::newClient(Device &device, int address,
                                               DtlsClient::Options options)
{
    device.identity = options.identity;
    auto client = std::make_unique<DtlsClient>(std::move(options));
    auto socket = std::make_unique<test::MemorySocket>(Network::address(address));
    device.socket = socket.get();
    client->connectTo(serverAddress, std::move(socket));
    return client;
}

void Network::openHonestSession()
{
    DtlsClient::Options options;
    options.identity = "honest";
    options.key = keyOf('h');
    m_honest.client = newClient(m_honest, honestAddress, std::move(options));
    DtlsClient *client = m_honest.client.get();
    QObject::connect(client, &DtlsClient::received, client,
                     [this](const QByteArray &reply) { m_honestReplies.push_back(reply); });
    carryHonestly();
    require(client->isConnected(), "an honest device is let in");
    m_honestSession = m_witness.lastOpened();
    m_honestHandshake = m_history;
}

void Network::carryHonestly()
{
    constexpr int enough = 8; // flights of a handshake
    for (int i = 0; i < enough; ++i) {
        collect(m_honest);
        while (!m_honest.outbox.empty()) {
            const QByteArray datagram = std::move(m_honest.outbox.front());
            m_honest.outbox.pop_front();
            arrive(honestAddress, {datagram});
        }
        hearHonestly();
    }
}

void Network::hearHonestly()
{
    m_honestReplies.clear();
    for (const QByteArray &answer : std::exchange(m_honest.inbox, {}))
        m_honest.socket->arrive(serverAddress, answer);
}

void Network::collect(Device &device)
{
    for (const OutgoingDatagram &datagram : device.socket->takeSent()) {
        device.outbox.push_back(datagram.bytes);
        m_history.push_back(datagram.bytes);
    }
}

void Network::begin(int number, int credential)
{
    if (++m_clients > mostClients)
        return;
    Device &place = device(number);
    place.client = newClient(place, number, clientOptions(credential));
    collect(place);
}

void Network::say(int number, const QByteArray &text)
{
    Device &speaker = device(number);
    if (!speaker.client || !speaker.client->isConnected())
        return;
    const QByteArray message = QByteArray::number(++m_messages) + ' ' + text;
    m_witness.sends(speaker.identity, message);
    require(speaker.client->send(message), "a device that is connected can send");
    collect(speaker);
}

void Network::closeClient(int number)
{
    Device &leaving = device(number);
    if (!leaving.client)
        return;
    leaving.client->close();
    collect(leaving);
}

void Network::hear(int number)
{
    Device &hearer = device(number);
    if (!hearer.client)
        return;
    for (const QByteArray &datagram : std::exchange(hearer.inbox, {}))
        hearer.socket->arrive(serverAddress, datagram);
    collect(hearer);
}

void Network::arrive(int from, const std::vector<QByteArray> &datagrams)
{
    // The longest idle session gives way to a new one: let that not be the honest one.
    if (m_server->statistics().halfOpen > 0 && from != honestAddress)
        speakHonestly();
    qsizetype size = 0;
    for (const QByteArray &datagram : datagrams)
        size += datagram.size();
    const bool isReplay =
        from == honestAddress && m_honestSession != SessionId{} &&
        std::all_of(datagrams.begin(), datagrams.end(), [this](const QByteArray &datagram) {
            return std::count(m_honestHandshake.begin(), m_honestHandshake.end(), datagram) > 0;
        });
    const std::uint64_t before = m_witness.started();
    m_serverSocket->arrive(address(from), datagrams);
    deliverAnswers(address(from), size);
    require(!isReplay || m_witness.started() == before, "a repeated hello begins nothing");
}

void Network::giveReceipt(const Receipt &receipt)
{
    const bool isWanted = m_witness.isOpen(receipt.session);
    const std::size_t before = m_answers.size();
    m_server->sendReplies({&receipt, 1});
    deliverAnswers(receipt.path.peer, 0);
    require(isWanted || m_answers.size() == before, "no session gets another's receipt");
}

void Network::deliverAnswers(const SocketAddress &asker, qsizetype size)
{
    const std::vector<OutgoingDatagram> answers = m_serverSocket->takeSent();
    m_witness.judgeTurn(asker, size, answers);
    for (const OutgoingDatagram &answer : answers) {
        require(answer.path.local == serverAddress, "an answer comes from where it was asked");
        m_answers.push_back(answer.bytes);
        if (answer.path.peer == address(honestAddress))
            m_honest.inbox.push_back(answer.bytes);
        for (int number = 0; number < deviceCount; ++number) {
            if (answer.path.peer == address(number))
                device(number).inbox.push_back(answer.bytes);
        }
    }
}

void Network::speakHonestly()
{
    hearHonestly(); // what others made the server send it
    const QByteArray message = "honest " + QByteArray::number(++m_messages);
    m_witness.sends("honest", message);
    require(m_witness.isOpen(m_honestSession), "the honest session is open");
    require(m_honest.client->isConnected() && m_honest.client->send(message),
            "the honest device can send");
    const std::size_t before = m_witness.messages().size();
    collect(m_honest);
    const QByteArray datagram = std::exchange(m_honest.outbox, {}).back();
    arrive(honestAddress, {datagram});
    require(m_witness.messages().size() == before + 1, "the honest device is heard once");
    const Datagram heard = m_witness.messages().back();
    require(heard.payload == message && heard.session.id == m_honestSession,
            "the honest device is heard as it spoke");

    giveReceipt(heard.receipt);
    hearHonestly();
    require(m_honestReplies == std::vector<QByteArray>{"to 203.0.113.6:1006: ACK"},
            "the honest device is answered once");
}

void Network::end()
{
    speakHonestly();
    m_server->close();
    m_witness.judgeEnd();
}

} // namespace dtlsd::fuzz
