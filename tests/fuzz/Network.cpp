// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Network.h"

#include "fuzz/FuzzTarget.h"
#include "fuzz/Heap.h"
#include "wire/Packet.h"

#include <algorithm>
#include <utility>

namespace dtlsd::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr int honestAddress = Network::addressCount - 1;
constexpr int mostClients = 8; // a handshake takes its time

// Less than any time after which a session ends.
constexpr std::chrono::milliseconds step = 10s;
// For so long a repeated hello is a late copy, and no device that begins anew.
constexpr auto lateCopies = 3s;
// Steps of handshakes that wait are done in as many turns at most.
constexpr int turnsToRest = 4;

// What the server may hold apart from sessions and handshakes, and in an open session beyond what
// it had when it was opened.
constexpr std::int64_t mostBytes = 256 << 10;
constexpr std::int64_t mostBytesOfSession = 64 << 10;
constexpr std::int64_t bytesOfMessage = 4096; // beside its content, in the Witness

const SocketAddress serverAddress(QHostAddress(QStringLiteral("192.0.2.1")), 22334);

test::KeyedClient::Options clientOptions(int kind)
{
    static const std::array<QByteArray, 4> suites{"PSK-AES128-GCM-SHA256",
                                                  "ECDHE-PSK-CHACHA20-POLY1305",
                                                  "PSK-CHACHA20-POLY1305", "PSK-AES256-GCM-SHA384"};
    const Credential credential = credentialOf(kind % credentialCount);
    const auto suite = static_cast<std::size_t>(kind / credentialCount) % suites.size();
    const int fragments = kind / credentialCount / static_cast<int>(suites.size()) % 3;
    return {.identity = credential.identity,
            .key = credential.key.bytes(),
            .ciphers = suites.at(suite),
            .fragments = static_cast<std::uint8_t>(fragments)};
}

bool hasAlert(const QByteArray &datagram)
{
    RecordReader reader(datagram);
    while (const auto record = reader.next())
        if (record->type == ContentType::Alert)
            return true;
    return false;
}

qsizetype largestContent(const test::KeyedClient &client)
{
    const int code = client.options().fragments;
    return code == 0 ? Record::maximumPlaintext : qsizetype{256} << code; // RFC 6066 §4
}

} // namespace

TimeSource Network::Clock::source() const
{
    return {[this] { return now; }, [this] { return wall; }};
}

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
    : m_shared(std::make_shared<SharedState>(settingsOf(variant).limits, QByteArray(32, 'c'),
                                             m_clock.source()))
    , m_server(std::make_unique<DtlsServer>(
          std::make_shared<const ServerSettings>(settingsOf(variant)), m_shared))
    , m_witness(*m_server, settingsOf(variant), m_shared->time)
{
    auto socket = std::make_unique<test::MemorySocket>(serverAddress);
    m_serverSocket = socket.get();
    m_server->listen(std::move(socket));
    openHonestSession();
}

void Network::openHonestSession()
{
    const Credential credential = honestCredential();
    DtlsClient::Options options;
    options.identity = credential.identity;
    options.key = credential.key;
    const std::size_t before = m_history.size();
    m_honest = std::make_unique<DtlsClient>(std::move(options));
    auto socket = std::make_unique<test::MemorySocket>(address(honestAddress));
    m_honestSocket = socket.get();
    QObject::connect(m_honest.get(), &DtlsClient::received, m_honest.get(),
                     [this](const QByteArray &reply) { m_honestReplies.push_back(reply); });
    m_honestInbox.clear();
    m_honestSession = {};
    m_honestHandshake.clear();
    m_isGreetedAnew = false;
    m_honest->connectTo(serverAddress, std::move(socket));
    // At a limit it waits for a place.
    constexpr int patience = 10;
    for (int i = 0; i < patience && !m_honest->isConnected(); ++i) {
        if (i > 0)
            passQuietly(1s);
        carryHonestly();
    }
    require(m_honest->isConnected(), "an honest device is let in");
    m_honestSession = m_witness.lastOpened();
    m_honestSince = m_clock.now;
    m_honestHandshake.assign(m_history.begin() + static_cast<std::ptrdiff_t>(before),
                             m_history.end());
}

void Network::carryHonestly()
{
    constexpr int enough = 8; // flights of a handshake
    for (int i = 0; i < enough; ++i) {
        collectHonestly();
        while (!m_honestOutbox.empty()) {
            const QByteArray datagram = std::move(m_honestOutbox.front());
            m_honestOutbox.pop_front();
            arrive(honestAddress, {datagram});
        }
        hearHonestly();
    }
}

void Network::collectHonestly()
{
    for (const OutgoingDatagram &datagram : m_honestSocket->takeSent()) {
        m_honestOutbox.push_back(datagram.bytes);
        m_history.push_back(datagram.bytes);
    }
}

void Network::hearHonestly()
{
    m_honestReplies.clear();
    for (const QByteArray &answer : std::exchange(m_honestInbox, {}))
        m_honestSocket->arrive(serverAddress, answer);
}

void Network::send(Device &device, const QByteArray &datagram)
{
    device.outbox.push_back(datagram);
    m_history.push_back(datagram);
}

void Network::collect(Device &device)
{
    for (const QByteArray &datagram : device.client->takeSent()) {
        // OpenSSL's client ends its session over some of what others made of the server's answers.
        if (hasAlert(datagram))
            m_witness.mayEnd(device.client->options().identity);
        send(device, datagram);
    }
}

void Network::begin(int number, int kind)
{
    if (++m_clients > mostClients)
        return;
    Device &place = device(number);
    place.client = std::make_unique<test::KeyedClient>(clientOptions(kind));
    place.number = m_clients;
    collect(place);
}

void Network::say(int number, const QByteArray &text)
{
    seal(number, {.content = text.isEmpty() ? QByteArray(1, ' ') : text});
}

void Network::seal(int number, Wanted wanted)
{
    Device &sender = device(number);
    if (!sender.client || !sender.client->isConnected())
        return;
    const std::uint64_t next = sender.client->sequence();
    const std::uint64_t sequence = next + static_cast<std::uint64_t>(wanted.offset);
    const bool isMessage = wanted.type == ContentType::ApplicationData && !wanted.content.isEmpty();
    if (isMessage)
        wanted.content.prepend(QByteArray::number(++m_messages) + ' ');
    const QByteArray &identity = sender.client->options().identity;
    if (isMessage && wanted.epoch == 1)
        m_witness.sends(identity, wanted.content, {sender.number, sequence});
    const bool isAsAgreed = wanted.content.size() <= largestContent(*sender.client);
    if (wanted.type != ContentType::ApplicationData || !isAsAgreed)
        m_witness.mayEnd(identity);
    send(sender, wanted.epoch == 1 && wanted.offset == 0
                     ? sender.client->seal(wanted.type, wanted.content)
                     : std::as_const(*sender.client)
                           .seal(wanted.type, wanted.content, wanted.epoch, sequence));
}

void Network::closeClient(int number)
{
    seal(number, {.type = ContentType::Alert, .content = QByteArray("\x01\x00", 2)});
}

void Network::hear(int number)
{
    Device &hearer = device(number);
    if (!hearer.client)
        return;
    for (const QByteArray &datagram : std::exchange(hearer.inbox, {}))
        hearer.client->take(datagram);
    collect(hearer);
}

void Network::arrive(int from, const std::vector<QByteArray> &datagrams)
{
    // The longest idle session gives way to a new one: let that not be the honest one.
    if (m_server->statistics().halfOpen > 0 && from != honestAddress)
        speakHonestly();
    const bool isReplay = from == honestAddress && isReplayOfHandshake(datagrams);
    const std::uint64_t before = m_witness.started();
    for (const QByteArray &datagram : datagrams)
        m_witness.arrives(address(from), datagram.size());
    serve([&] { m_serverSocket->arrive(address(from), datagrams); });
    // It may be a device that has rebooted and repeats its random (RFC 6347 §4.2.8).
    require(!isReplay || m_witness.started() <= before + 1,
            "a repeated handshake begins one beside the session at most");
}

/// Whether @p datagrams of the honest address are late copies, so that nothing begins with them: of
/// what the device sent with its cookie, and behind no other hello.
bool Network::isReplayOfHandshake(const std::vector<QByteArray> &datagrams)
{
    if (m_honestHandshake.empty())
        return false;
    const auto isCopy = [this](const QByteArray &datagram) {
        return std::count(m_honestHandshake.begin() + 1, m_honestHandshake.end(), datagram) > 0;
    };
    m_isGreetedAnew =
        m_isGreetedAnew ||
        std::any_of(datagrams.begin(), datagrams.end(), [&](const QByteArray &datagram) {
            return Packet(datagram).newHello() && !isCopy(datagram);
        });
    return !m_isGreetedAnew && m_clock.now - m_honestSince < lateCopies &&
           std::all_of(datagrams.begin(), datagrams.end(), isCopy);
}

void Network::giveReceipt(const Outbound &receipt)
{
    const bool isWanted = m_witness.isOpen(receipt.session.id);
    const std::size_t before = m_answers.size();
    serve([&] { m_server->send({&receipt, 1}); });
    require(isWanted || m_answers.size() == before, "no session gets another's receipt");
}

/// Lets the server have a turn, and judges what it makes of it.
void Network::serve(const std::function<void()> &turn)
{
    const Statistics before = m_server->statistics();
    const std::uint64_t started = m_witness.started();
    const std::size_t messages = m_witness.messages().size();
    const std::size_t answers = m_answers.size();
    const std::int64_t bytes = allocatedBytes();
    turn();
    deliverAnswers();
    std::int64_t grown = allocatedBytes() - bytes;

    const auto sizeOf = [](const QByteArray &datagram) { return 2 * datagram.size() + 256; };
    for (std::size_t i = messages; i < m_witness.messages().size(); ++i) {
        const Datagram &message = m_witness.messages()[i];
        grown -= bytesOfMessage + sizeOf(message.payload) + sizeOf(message.ciphertext) +
                 sizeOf(message.reply);
    }
    for (std::size_t i = answers; i < m_answers.size(); ++i)
        grown -= sizeOf(m_answers[i]);
    const bool isHandshake = m_witness.started() != started || before.halfOpen > 0;
    if (!isHandshake || grown < 0)
        m_grown = std::max<std::int64_t>(m_grown + grown, 0);
    require(m_grown <= mostBytes + mostBytesOfSession * m_server->statistics().sessions,
            "an open session does not grow, and a stranger costs no memory");
}

void Network::deliverAnswers()
{
    const std::vector<OutgoingDatagram> answers = m_serverSocket->takeSent();
    m_witness.judgeTurn(answers);
    for (const OutgoingDatagram &answer : answers) {
        require(answer.path.local == serverAddress, "an answer comes from where it was asked");
        m_answers.push_back(answer.bytes);
        if (answer.path.peer == address(honestAddress))
            m_honestInbox.push_back(answer.bytes);
        for (int number = 0; number < deviceCount; ++number) {
            if (answer.path.peer == address(number))
                device(number).inbox.push_back(answer.bytes);
        }
    }
}

void Network::passQuietly(std::chrono::milliseconds duration)
{
    m_clock.now += duration;
    m_clock.wall += duration;
    settle(nullptr);
    m_witness.judgeTime(step);
}

/// Lets the server do what is due until nothing is left; @p isDone says whether it has finished
/// something that it was asked to do.
void Network::settle(const bool *isDone)
{
    for (int i = 0; i < turnsToRest; ++i)
        serve([this] { m_server->doWhatIsDue(); });
    require(!isDone || *isDone, "what visits all sessions comes to an end");
}

void Network::pass(std::chrono::milliseconds duration)
{
    for (; duration > 0ms; duration -= step) {
        passQuietly(std::min(duration, step));
        speakHonestly();
    }
}

void Network::apply(int variant)
{
    speakHonestly();
    const auto settings = std::make_shared<const ServerSettings>(settingsOf(variant));
    m_shared->handshakes.set(settings->limits.handshakesPerSecond,
                             settings->limits.handshakesPerSecond);
    m_witness.settingsChange(*settings);
    bool isDone = false;
    serve([&] { m_server->apply(settings, [&](std::int64_t) { isDone = true; }); });
    settle(&isDone);
    m_witness.settingsHaveChanged();
}

void Network::closeSessions(int credential)
{
    const QByteArray identity = credentialOf(credential).identity;
    const std::int64_t open = m_witness.openOf(identity);
    std::int64_t closed = -1;
    bool isDone = false;
    m_witness.operatorCloses(identity);
    serve([&] {
        m_server->closeSessions([&](const SessionInfo &info) { return info.identity == identity; },
                                [&](std::int64_t count) {
                                    closed = count;
                                    isDone = true;
                                });
    });
    settle(&isDone);
    require(closed == open && m_witness.openOf(identity) == 0,
            "the operator closes what he names, and hears how many there were");
    m_witness.operatorCloses({});
}

void Network::speakHonestly()
{
    hearHonestly(); // what others made the server send it
    if (m_witness.hasOutlived(m_honestSession))
        openHonestSession();
    const QByteArray message = "honest " + QByteArray::number(++m_messages);
    m_witness.sends(honestCredential().identity, message,
                    {0, static_cast<std::uint64_t>(m_messages)});
    require(m_witness.isOpen(m_honestSession), "the honest session is open");
    require(m_honest->isConnected() && m_honest->send(message), "the honest device can send");
    const std::size_t before = m_witness.messages().size();
    collectHonestly();
    const QByteArray datagram = std::exchange(m_honestOutbox, {}).back();
    arrive(honestAddress, {datagram});
    require(m_witness.messages().size() == before + 1, "the honest device is heard once");
    const Datagram heard = m_witness.messages().back();
    require(heard.payload == message && heard.session.id == m_honestSession,
            "the honest device is heard as it spoke");

    giveReceipt(heard.answer());
    hearHonestly();
    require(m_honestReplies == std::vector<QByteArray>{"to 203.0.113.6:1006: ACK"},
            "the honest device is answered once");
}

void Network::end()
{
    speakHonestly();
    m_witness.serverCloses();
    m_server->close();
    m_witness.judgeEnd();
}

} // namespace dtlsd::fuzz
