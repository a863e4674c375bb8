// SPDX-License-Identifier: Apache-2.0
#include "support/TimedNetwork.h"

#include "support/CraftedHello.h"
#include "support/MemoryNetwork.h"

#include <utility>

#include <openssl/ssl.h>

namespace dtlsd::test {

namespace {

// As much as a server with one core can do in a millisecond: verify eight hellos, and begin or end
// eight handshakes.
constexpr int turnsPerMillisecond = 2;
constexpr std::chrono::microseconds costOfWork{25};

constexpr std::array repetitions{std::chrono::seconds(1), std::chrono::seconds(2),
                                 std::chrono::seconds(4), std::chrono::seconds(8)};

/// What this thread has made last.
SSL *&newestSsl()
{
    thread_local SSL *ssl = nullptr;
    return ssl;
}

/// From now on newestSsl() tells.
void watchForSsls()
{
    static const int index = SSL_get_ex_new_index(
        0, nullptr,
        [](void *ssl, void *, CRYPTO_EX_DATA *, int, long, void *) {
            newestSsl() = static_cast<SSL *>(ssl);
        },
        nullptr, nullptr);
    static_cast<void>(index);
}

/// An hour, in microseconds: a device repeats in simulated time alone.
unsigned int neverInRealTime(SSL *, unsigned int)
{
    return 3'600'000'000U;
}

} // namespace

struct TimedNetwork::Device
{
    SocketAddress address;
    Duration oneWay{};
    int number = 0;
    std::unique_ptr<DtlsClient> client;
    MemorySocket *socket = nullptr; // the client's
    SSL *ssl = nullptr;             // the client's, until its first answer
    std::vector<QByteArray> flight; // sent last
    int flights = 0;
    std::size_t repeated = 0; // of it
};

TimedNetwork::TimedNetwork(ServerSettings settings)
{
    const TimeSource time{[this] { return Clock::time_point(std::chrono::hours(1) + m_now); },
                          [this] { return TimeSource::WallClock::time_point(m_now); },
                          [this] { return m_worked += costOfWork; }};
    const auto shared = std::make_shared<SharedState>(settings.limits, randomSecret(), time);
    server = std::make_unique<DtlsServer>(
        std::make_shared<const ServerSettings>(std::move(settings)), shared);
    auto socket = std::make_unique<MemorySocket>(MemoryNetwork::serverAddress());
    m_serverSocket = socket.get();
    server->listen(std::move(socket));
}

TimedNetwork::~TimedNetwork() = default;

void TimedNetwork::at(Duration after, std::function<void()> action)
{
    m_actions.emplace(after, std::move(action));
}

void TimedNetwork::runUntil(Duration end)
{
    for (; m_now < end; ++m_now)
        tick();
}

void TimedNetwork::tick()
{
    while (!m_actions.empty() && m_actions.begin()->first <= m_now)
        m_actions.extract(m_actions.begin()).mapped()();
    for (int turn = 0; turn < turnsPerMillisecond; ++turn) {
        m_serverSocket->readyRead();
        server->doWhatIsDue();
    }
    for (const OutgoingDatagram &datagram : m_serverSocket->takeSent()) {
        const auto found = m_devices.find(datagram.path.peer);
        if (found == m_devices.end())
            continue;
        const auto isFor = [to = datagram.path.peer,
                            number = found->second->number](const TimedNetwork &network) {
            const auto device = network.m_devices.find(to);
            return device != network.m_devices.end() && device->second->number == number;
        };
        at(m_now + found->second->oneWay, [this, isFor, datagram] {
            if (isFor(*this))
                deliver(datagram.path.peer, datagram.bytes);
        });
    }
}

void TimedNetwork::begin(const SocketAddress &address, const DtlsClient::Options &options,
                         Duration roundTrip)
{
    auto device = std::make_unique<Device>();
    device->address = address;
    device->oneWay = roundTrip / 2;
    device->number = m_begun++;
    device->client = std::make_unique<DtlsClient>(options);
    auto socket = std::make_unique<MemorySocket>(address);
    device->socket = socket.get();
    watchForSsls();
    device->client->connectTo(MemoryNetwork::serverAddress(), std::move(socket));
    device->ssl = newestSsl();
    DTLS_set_timer_cb(device->ssl, &neverInRealTime);
    Device &added = *(m_devices[address] = std::move(device));
    carry(added, false);
}

void TimedNetwork::deliver(const SocketAddress &to, const QByteArray &datagram)
{
    Device &device = *m_devices.at(to);
    // Its first hello has a timer in real time. If that has run out, OpenSSL 3.5 loses the answer.
    if (device.ssl && DTLSv1_handle_timeout(device.ssl) > 0)
        static_cast<void>(device.socket->takeSent());
    device.ssl = nullptr;
    device.socket->arrive(MemoryNetwork::serverAddress(), datagram);
    if (device.client->isConnected()) {
        ++m_connected;
        m_devices.erase(to);
        return;
    }
    carry(device, false);
}

void TimedNetwork::carry(Device &device, bool isRepetition)
{
    std::vector<QByteArray> sent;
    for (const OutgoingDatagram &datagram : device.socket->takeSent())
        sent.push_back(datagram.bytes);
    if (isRepetition)
        sent = device.flight;
    if (sent.empty())
        return;
    if (!isRepetition) {
        device.flight = sent;
        device.repeated = 0;
        ++device.flights;
    }
    for (const QByteArray &bytes : sent) {
        at(m_now + device.oneWay,
           [this, from = device.address, bytes] { m_serverSocket->hold(from, bytes); });
    }
    if (device.repeated < repetitions.size()) {
        at(m_now + repetitions[device.repeated++],
           [this, address = device.address, number = device.number, flight = device.flights] {
               repeat(address, number, flight);
           });
    }
}

void TimedNetwork::repeat(const SocketAddress &address, int number, int flight)
{
    const auto found = m_devices.find(address);
    if (found != m_devices.end() && found->second->number == number &&
        found->second->flights == flight)
        carry(*found->second, true);
}

QByteArray TimedNetwork::cookieFor(const SocketAddress &address)
{
    m_serverSocket->arrive(address, CraftedHello{}.datagram());
    server->doWhatIsDue();
    QByteArray cookie;
    for (const OutgoingDatagram &datagram : m_serverSocket->takeSent())
        cookie = cookieOf(datagram.bytes).value_or(cookie);
    return cookie;
}

} // namespace dtlsd::test
