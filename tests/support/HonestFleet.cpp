// SPDX-License-Identifier: Apache-2.0
#include "support/HonestFleet.h"

#include <algorithm>

namespace dtlsd::test {

namespace {

constexpr std::chrono::milliseconds pause{20};
constexpr std::chrono::milliseconds repeat{200};

} // namespace

struct HonestFleet::Device
{
    explicit Device(const DtlsClient::Options &options)
        : client(options)
    {
    }

    DtlsClient client;
    QTimer next;
    QTimer again;
    QElapsedTimer waiting;
    int asked = 0;
    int answered = 0;
};

HonestFleet::HonestFleet(int size, const DtlsClient::Options &options)
{
    for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
        auto device = std::make_unique<Device>(options);
        device->next.setSingleShot(true);
        connect(&device->next, &QTimer::timeout, this, [this, i] { ask(i); });
        connect(&device->again, &QTimer::timeout, this,
                [raw = device.get(), i] { raw->client.send(message(i, raw->asked)); });
        connect(&device->client, &DtlsClient::connected, this, [this] { ++m_connected; });
        connect(&device->client, &DtlsClient::failed, this, [this] { ++m_failures; });
        connect(&device->client, &DtlsClient::closed, this, [this] { ++m_failures; });
        connect(&device->client, &DtlsClient::received, this,
                [this, i](const QByteArray &receipt) { take(i, receipt); });
        m_devices.push_back(std::move(device));
    }
}

HonestFleet::~HonestFleet() = default;

bool HonestFleet::start(const SocketAddress &server, QDeadlineTimer deadline)
{
    for (const auto &device : m_devices) {
        if (!device->client.connectTo(server))
            return false;
    }
    const auto all = static_cast<int>(m_devices.size());
    if (!waitUntil([&] { return m_connected == all; }, deadline))
        return false;
    for (std::size_t i = 0; i < m_devices.size(); ++i)
        ask(i);
    return true;
}

bool HonestFleet::goRound(QDeadlineTimer deadline)
{
    std::vector<int> goals;
    goals.reserve(m_devices.size());
    for (const auto &device : m_devices)
        goals.push_back(device->answered + 2);
    const auto isRound = [&] {
        for (std::size_t i = 0; i < goals.size(); ++i) {
            if (m_devices[i]->answered < goals[i])
                return false;
        }
        return true;
    };
    return waitUntil(isRound, deadline);
}

bool HonestFleet::settle(QDeadlineTimer deadline)
{
    m_settling = true;
    return waitUntil([this] { return m_answered == m_asked; }, deadline);
}

QByteArray HonestFleet::message(std::size_t device, int number)
{
    return "honest device " + QByteArray::number(static_cast<qulonglong>(device)) + ", message " +
           QByteArray::number(number);
}

void HonestFleet::ask(std::size_t index)
{
    Device &device = *m_devices[index];
    if (m_settling)
        return;
    ++device.asked;
    ++m_asked;
    device.waiting.start();
    device.again.start(repeat);
    device.client.send(message(index, device.asked));
}

void HonestFleet::take(std::size_t index, const QByteArray &receipt)
{
    Device &device = *m_devices[index];
    if (receipt != message(index, device.asked)) {
        // A late receipt of a repeated message; anything else was never sent.
        bool isOld = false;
        for (int number = device.asked - 1; number > 0 && !isOld; --number)
            isOld = receipt == message(index, number);
        m_failures += isOld ? 0 : 1;
        return;
    }
    if (device.answered == device.asked)
        return;
    device.answered = device.asked;
    ++m_answered;
    m_longestWait = std::max(m_longestWait, device.waiting.elapsed());
    device.again.stop();
    device.next.start(pause);
}

QList<QByteArray> HonestFleet::messages() const
{
    QList<QByteArray> all;
    for (std::size_t i = 0; i < m_devices.size(); ++i) {
        for (int number = 1; number <= m_devices[i]->asked; ++number)
            all += message(i, number);
    }
    return all;
}

QList<SocketAddress> HonestFleet::addresses() const
{
    QList<SocketAddress> all;
    for (const auto &device : m_devices)
        all += SocketAddress(QHostAddress(QHostAddress::LocalHost),
                             device->client.localAddress().port());
    return all;
}

} // namespace dtlsd::test
