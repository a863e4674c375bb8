// SPDX-License-Identifier: Apache-2.0
#include "TalkingFleet.h"

#include "support/JsonFields.h"
#include "support/KeyedLink.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <utility>

namespace dtlsd::test {

namespace {

using namespace std::chrono_literals;

const QByteArray key = "00112233445566778899aabbccddeeff";

// Devices give up after ten seconds in silence; those that speak CoAP would after 45 (RFC 7252
// §4.8).
constexpr auto repeatAfter = 500ms;
constexpr int repetitions = 80;
constexpr auto pauseBetween = 200ms;

QByteArray nameOf(int device)
{
    return (device % 2 == 0 ? "with-id-" : "without-id-") + QByteArray::number(device);
}

KeyedClient::Options optionsOf(int device)
{
    const std::array<QByteArray, 3> suites{"PSK-AES128-GCM-SHA256", "PSK-CHACHA20-POLY1305",
                                           "PSK-AES128-CCM8"};
    KeyedClient::Options options{
        .identity = nameOf(device),
        .key = QByteArray::fromHex(key),
        .ciphers = suites.at(static_cast<std::size_t>(device / 2) % suites.size())};
    if (device % 2 == 0)
        options.connectionId = QByteArray(8, 'c');
    return options;
}

QString textOf(const QByteArray &ascii)
{
    return QString::fromLatin1(ascii);
}

} // namespace

QByteArray TalkingFleet::identities(int size)
{
    QByteArray sections;
    for (int device = 0; device < size; ++device)
        sections += "[identity " + nameOf(device) + "]\nkey = hex:" + key + '\n';
    return sections;
}

TalkingFleet::TalkingFleet(int size)
{
    for (int device = 0; device < size; ++device)
        m_devices.push_back(nullptr);
}

MakeLink TalkingFleet::linkMaker(int device)
{
    return [this, options = optionsOf(device)] {
        auto link = std::make_unique<KeyedLink>(options);
        QObject::connect(link.get(), &KeyedLink::refused, link.get(), [this] { ++m_refusals; });
        return link;
    };
}

bool TalkingFleet::start(const SocketAddress &server)
{
    for (int device = 0; device < size(); ++device) {
        auto &talking = m_devices[static_cast<std::size_t>(device)];
        talking = std::make_unique<TalkingDevice>(TalkingDevice::Task{.makeLink = linkMaker(device),
                                                                      .server = server,
                                                                      .name = nameOf(device),
                                                                      .repeatAfter = repeatAfter,
                                                                      .pause = pauseBetween,
                                                                      .patience = repetitions});
        talking->start();
    }
    return goRound();
}

bool TalkingFleet::waitForEach(const Condition &condition)
{
    Devices others;
    for (const auto &device : m_devices)
        others.push_back(device.get());
    return waitUntil(
        [&] {
            std::erase_if(others, condition);
            m_trouble = others;
            return others.empty();
        },
        QDeadlineTimer(patience));
}

bool TalkingFleet::goRound()
{
    QHash<const TalkingDevice *, int> before;
    for (const auto &device : m_devices)
        before[device.get()] = device->answered();
    return waitForEach([&](const TalkingDevice *device) {
        return device->answered() >= before.value(device) + 2;
    });
}

bool TalkingFleet::settle()
{
    for (const auto &device : m_devices)
        device->settle();
    return waitForEach([](const TalkingDevice *device) { return device->isSettled(); });
}

bool TalkingFleet::hearGoodbye()
{
    return waitForEach([](const TalkingDevice *device) {
        return device->endings() == QStringList{KeyedLink::closeNotify};
    });
}

QByteArray TalkingFleet::trouble() const
{
    QByteArray words;
    for (const TalkingDevice *device : m_trouble)
        words += device->name() + ": " + QByteArray::number(device->answered()) + " answered; " +
                 device->endings().join(u", ").toLatin1() + '\n';
    return words;
}

std::chrono::milliseconds TalkingFleet::longestWait() const
{
    auto longest = 0ms;
    for (const auto &device : m_devices)
        longest = std::max(longest, device->longestWait());
    return longest;
}

QStringList TalkingFleet::breaches(const Administrator::Entries &datagrams) const
{
    QStringList found;
    if (m_refusals > 0)
        found << QStringLiteral("nobody listened (ICMP), %1 times").arg(m_refusals);
    QHash<QString, QString> sessions; // by identity
    QHash<QString, qint64> sequences; // by session
    QHash<QByteArray, int> logged;
    for (const QJsonObject &entry : datagrams) {
        const QString identity = text(entry, "DTLSD_IDENTITY");
        const QString session = text(entry, "DTLSD_SESSION");
        const qint64 sequence = text(entry, "DTLSD_SEQUENCE").toLongLong();
        ++logged[text(entry, "DTLSD_PAYLOAD").toUtf8()];
        if (sessions.value(identity, session) != session)
            found << identity + QStringLiteral(" has another session");
        if (sequence <= sequences[session])
            found << QStringLiteral("%1 has sequence %2 behind %3")
                         .arg(identity)
                         .arg(sequence)
                         .arg(sequences[session]);
        sessions[identity] = session;
        sequences[session] = sequence;
    }
    for (const auto &device : m_devices) {
        if (!device->endings().isEmpty() || device->handshakesBegun() > 1 ||
            device->strangeReceipts() > 0)
            found << QStringLiteral("%1: %2 handshakes, %3 strange receipts; %4")
                         .arg(textOf(device->name()))
                         .arg(device->handshakesBegun())
                         .arg(device->strangeReceipts())
                         .arg(device->endings().join(u", "));
        for (const QByteArray &datagram : device->sent()) {
            const int entries = logged.take(datagram);
            const bool isAcknowledged = device->receipts().contains(datagram);
            if (entries > 1 || (isAcknowledged && entries == 0))
                found << QStringLiteral("%1 entries for: %2").arg(entries).arg(textOf(datagram));
        }
    }
    for (auto rest = logged.begin(); rest != logged.end(); ++rest)
        found << QStringLiteral("nobody has sent: ") + textOf(rest.key());
    return found;
}

} // namespace dtlsd::test
