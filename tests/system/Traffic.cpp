// SPDX-License-Identifier: Apache-2.0
#include "Traffic.h"

#include "support/ChildProcess.h"
#include "support/OwnLink.h"

#include <QSet>

#include <algorithm>
#include <numeric>

namespace dtlsd::test {

namespace {

using namespace std::chrono_literals;

// More than is sent in the time that a test may take.
constexpr int messagesEach = 30'000;
constexpr auto pauseBetweenMessages = 10ms;
constexpr qsizetype several = 10;

QList<QByteArray> numberedMessages(const QByteArray &sender)
{
    QList<QByteArray> messages;
    messages.reserve(messagesEach);
    for (int number = 1; number <= messagesEach; ++number)
        messages << sender + ", message " + QByteArray::number(number);
    return messages;
}

} // namespace

Traffic::Traffic(const SocketAddress &server, const QByteArray &identity, const QByteArray &key,
                 int devices, int repetitions)
    : m_key(key)
{
    static int senders = 0; // no two say the same
    for (int i = 0; i < devices; ++i) {
        const auto makeLink = [this, identity] {
            return std::make_unique<OwnLink>(
                DtlsClient::Options{.identity = identity,
                                    .key = PskKey(QByteArray::fromHex(m_key)),
                                    .ciphers = {},
                                    .handshakeTimeout = 300ms});
        };
        m_devices.push_back(std::make_unique<PersistentDevice>(PersistentDevice::Task{
            .makeLink = makeLink,
            .server = server,
            .messages = numberedMessages("device " + QByteArray::number(++senders)),
            .handshakes = 1000,
            .repeatAfter = 100ms,
            .pause = pauseBetweenMessages,
            .patience = repetitions}));
        m_devices.back()->start();
    }
    QObject::connect(&m_ear, &QTimer::timeout, &m_ear, [this] { listen(); });
    m_ear.start(1ms);
    m_silent.start();
}

Traffic::~Traffic() = default;

bool Traffic::flows() const
{
    const auto flowsAt = [](const auto &device) {
        return [&device, before = device->acknowledged()] {
            return device->acknowledged() >= before + several;
        };
    };
    std::vector<std::function<bool()>> each;
    each.reserve(m_devices.size());
    for (const auto &device : m_devices)
        each.emplace_back(flowsAt(device));
    const auto all = [&] {
        return std::all_of(each.begin(), each.end(), [](const auto &flows) { return flows(); });
    };
    return waitUntil(all, QDeadlineTimer(patience));
}

void Traffic::stop()
{
    m_ear.stop();
    for (const auto &device : m_devices)
        device->close();
}

QList<QByteArray> Traffic::acknowledged() const
{
    QList<QByteArray> result;
    for (const auto &device : m_devices)
        result += device->messages().first(device->acknowledged());
    return result;
}

qsizetype Traffic::missingIn(const QList<QByteArray> &payloads) const
{
    const QSet<QByteArray> kept(payloads.begin(), payloads.end());
    const QList<QByteArray> messages = acknowledged();
    return std::count_if(messages.begin(), messages.end(),
                         [&](const QByteArray &message) { return !kept.contains(message); });
}

int Traffic::handshakes() const
{
    return std::accumulate(m_devices.begin(), m_devices.end(), 0, [](int sum, const auto &device) {
        return sum + device->handshakesBegun();
    });
}

std::chrono::milliseconds Traffic::longestSilence()
{
    listen();
    return std::exchange(m_longest, 0ms);
}

qsizetype Traffic::receipts() const
{
    return std::accumulate(
        m_devices.begin(), m_devices.end(), qsizetype{0},
        [](qsizetype sum, const auto &device) { return sum + device->acknowledged(); });
}

void Traffic::listen()
{
    if (receipts() == m_heard)
        return;
    m_heard = receipts();
    m_longest = std::max(m_longest, std::chrono::milliseconds(m_silent.restart()));
}

} // namespace dtlsd::test
