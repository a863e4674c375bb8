// SPDX-License-Identifier: Apache-2.0
#include "support/MemoryNetwork.h"

#include "support/StoreCopy.h"
#include "support/TestKey.h"

#include <algorithm>
#include <utility>

namespace dtlsd::test {

PskKey MemoryNetwork::key()
{
    return PskKey(testKey);
}

ServerSettings MemoryNetwork::defaultSettings()
{
    auto identities = std::make_shared<PskStore>();
    identities->add("sensor-17", {.key = key(), .nextKey = {}, .allowFrom = {}, .reply = {}});
    ServerSettings settings;
    settings.identities = identities;
    return settings;
}

DtlsClient::Options MemoryNetwork::defaultClient()
{
    DtlsClient::Options options;
    options.identity = "sensor-17";
    options.key = key();
    return options;
}

SocketAddress MemoryNetwork::serverAddress()
{
    return {QHostAddress(QStringLiteral("192.0.2.1")), 22334};
}

SocketAddress MemoryNetwork::clientAddress(int number)
{
    return {QHostAddress(0xc6336400U + static_cast<quint32>(number % 250) + 1), // 198.51.100.0/24
            static_cast<quint16>(20000 + number)};
}

MemoryNetwork::MemoryNetwork(const ServerSettings &settings, const QByteArray &cookieSecret)
    : MemoryNetwork(settings, newProcess(settings.limits, cookieSecret))
{
}

std::shared_ptr<MemoryNetwork::Process> MemoryNetwork::newProcess(const Limits &limits,
                                                                  const QByteArray &cookieSecret)
{
    auto process = std::make_shared<Process>();
    process->begin(limits, cookieSecret);
    return process;
}

void MemoryNetwork::Process::begin(const Limits &limits, const QByteArray &cookieSecret)
{
    TimeSource time;
    time.now = [this] { return stoppedAt.value_or(TimeSource::Clock::now()); };
    time.bootTime = [now = time.now] {
        return std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch());
    };
    shared = std::make_shared<SharedState>(limits, cookieSecret, time);
}

MemoryNetwork::MemoryNetwork(ServerSettings settings, const MemoryNetwork &sibling)
    : MemoryNetwork(std::move(settings), sibling.m_process)
{
}

MemoryNetwork::MemoryNetwork(ServerSettings settings, std::shared_ptr<Process> process)
    : m_process(std::move(process))
{
    begin(std::move(settings));
}

void MemoryNetwork::begin(ServerSettings settings)
{
    server = std::make_unique<DtlsServer>(
        std::make_shared<const ServerSettings>(std::move(settings)), m_process->shared,
        [this](std::function<void(DtlsServer &)> task) { m_posted.push_back(std::move(task)); });
    auto socket = std::make_unique<MemorySocket>(serverAddress());
    serverSocket = socket.get();
    server->listen(std::move(socket));

    const auto record = [this](const ServerEvent &event) { m_events.push_back(event); };
    QObject::connect(server.get(), &DtlsServer::infoMessage, server.get(), record);
    QObject::connect(server.get(), &DtlsServer::warningMessage, server.get(), record);
    QObject::connect(server.get(), &DtlsServer::errorMessage, server.get(), record);
    QObject::connect(server.get(), &DtlsServer::datagramReceived, server.get(),
                     [this](const Datagram &datagram) {
                         datagrams.push_back(datagram);
                         const Outbound answer = datagram.answer();
                         if (reply)
                             server->send({&answer, 1});
                     });
}

MemoryNetwork::~MemoryNetwork() = default;

void MemoryNetwork::keepSessions(std::size_t slots)
{
    auto store = std::move(SessionStore::make(0, slots)).value();
    stores.push_back(store.get());
    server->sessions().memory().add(std::move(store));
}

Takeover::Count MemoryNetwork::restart(End end, ServerSettings settings)
{
    if (end == End::Left)
        server->sessions().memory().leave();
    std::vector<std::unique_ptr<SessionStore>> copies;
    copies.reserve(stores.size());
    for (const SessionStore *store : stores)
        copies.push_back(std::move(SessionStore::open(copyOf(*store))).value());
    return restartWith(std::move(copies), std::move(settings));
}

Takeover::Count MemoryNetwork::restartWith(std::vector<std::unique_ptr<SessionStore>> left,
                                           ServerSettings settings)
{
    server.reset();
    m_posted.clear();
    m_process->begin(settings.limits, randomSecret());
    begin(std::move(settings));
    stores.clear();
    stores.reserve(left.size());
    for (const auto &store : left)
        stores.push_back(store.get());
    return server->takeOver(std::move(left));
}

MemoryNetwork::Device &MemoryNetwork::add(int number, DtlsClient::Options options)
{
    return add(clientAddress(number), std::move(options));
}

MemoryNetwork::Device &MemoryNetwork::addHalfOpen(const SocketAddress &address)
{
    Device &device = add(address);
    int hellos = 0;
    run([&](const OutgoingDatagram &datagram) {
        return datagram.path.peer == serverAddress() && ++hellos > 2;
    });
    return device;
}

MemoryNetwork::Device &MemoryNetwork::add(const SocketAddress &address, DtlsClient::Options options)
{
    auto device = std::make_unique<Device>();
    device->address = address;
    device->client = std::make_unique<DtlsClient>(std::move(options));
    auto socket = std::make_unique<MemorySocket>(device->address);
    device->socket = socket.get();
    QObject::connect(
        device->client.get(), &DtlsClient::received, device->client.get(),
        [raw = device.get()](const QByteArray &plaintext) { raw->received.push_back(plaintext); });
    device->client->connectTo(serverAddress(), std::move(socket));
    m_devices.push_back(std::move(device));
    return *m_devices.back();
}

void MemoryNetwork::crash(Device &device)
{
    std::erase_if(m_devices, [&](const auto &owned) { return owned.get() == &device; });
}

bool MemoryNetwork::carryToServer(const Lose &lose)
{
    bool moved = false;
    for (const auto &device : m_devices) {
        for (const OutgoingDatagram &datagram : device->socket->takeSent()) {
            moved = true;
            if (!lose || !lose(datagram))
                serverSocket->arrive(device->address, datagram.bytes);
        }
    }
    return moved;
}

bool MemoryNetwork::carryToDevices(const Lose &lose)
{
    const std::vector<OutgoingDatagram> sent = serverSocket->takeSent();
    for (const OutgoingDatagram &datagram : sent) {
        // The latest device at an address: one may have reconnected there.
        const auto device =
            std::find_if(m_devices.rbegin(), m_devices.rend(), [&](const auto &candidate) {
                return candidate->address == datagram.path.peer;
            });
        if (device != m_devices.rend() && (!lose || !lose(datagram)))
            (*device)->socket->arrive(serverAddress(), datagram.bytes);
    }
    return !sent.empty();
}

void MemoryNetwork::stopClock()
{
    m_process->stoppedAt = TimeSource::Clock::now();
}

void MemoryNetwork::letPass(std::chrono::milliseconds duration)
{
    if (!m_process->stoppedAt)
        qFatal("stopClock() comes first");
    *m_process->stoppedAt += duration;
}

void MemoryNetwork::advance(std::chrono::milliseconds duration)
{
    letPass(duration);
    server->doWhatIsDue();
}

void MemoryNetwork::run(const Lose &lose)
{
    constexpr int enough = 1000; // rounds; a handshake takes four
    for (int round = 0; round < enough; ++round) {
        for (const auto &task : std::exchange(m_posted, {}))
            task(*server);
        const bool toServer = carryToServer(lose);
        if (!carryToDevices(lose) && !toServer)
            return;
    }
    qFatal("the datagrams never come to rest");
}

std::vector<QByteArray> MemoryNetwork::takeSent(Device &device)
{
    std::vector<QByteArray> datagrams;
    for (const OutgoingDatagram &datagram : device.socket->takeSent())
        datagrams.push_back(datagram.bytes);
    return datagrams;
}

void MemoryNetwork::arrive(const SocketAddress &from, const QByteArray &datagram)
{
    serverSocket->arrive(from, datagram);
}

} // namespace dtlsd::test
