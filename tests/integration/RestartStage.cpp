// SPDX-License-Identifier: Apache-2.0
#include "RestartStage.h"

#include "support/ControlPeer.h"
#include "support/JsonFields.h"
#include "support/KeyedLink.h"
#include "support/TestKey.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <utility>

namespace dtlsd::test {

namespace {

const QByteArray newcomer = "newcomer";
constexpr quint32 firstAddress = 0x7f80'0000;           // 127.128.0.0
constexpr std::chrono::milliseconds usualTimeout{6000}; // of a handshake that is not the only one
constexpr int manyHandshakes = 1000;
constexpr std::chrono::milliseconds shortTimeout{1500}; // of one that may be begun anew

/// In turn, by the device's number.
QByteArray suiteOf(int number)
{
    const std::array<QByteArray, 3> suites{"PSK-AES128-GCM-SHA256", "PSK-CHACHA20-POLY1305",
                                           "PSK-AES128-CCM8"};
    return suites.at(static_cast<std::size_t>(number) % suites.size());
}

QByteArray nameOf(bool hasId, int number)
{
    return (hasId ? "with-id-" : "without-id-") + QByteArray::number(number);
}

/// A device's only handshake may have to live through restarts.
std::chrono::milliseconds timeoutOf(int handshakes)
{
    return handshakes == 1 ? patience : usualTimeout;
}

QByteArray identityOf(const QJsonObject &event)
{
    return text(event, "identity").toUtf8();
}

} // namespace

RestartStage::RestartStage(Settings settings)
    : m_settings(std::move(settings))
    , m_random(m_settings.seed)
{
    m_identities[newcomer] = keyLine();
    for (const bool hasId : {true, false}) {
        const int count = hasId ? m_settings.withIds : m_settings.withoutIds;
        for (int i = 0; i < count; ++i)
            m_identities[nameOf(hasId, i)] = keyLine();
    }
    m_manager = std::make_unique<ServiceManager>(configuration(), m_settings.manager);
}

RestartStage::~RestartStage() = default;

QByteArray RestartStage::keyLine()
{
    return "key = hex:" + hexKey + '\n';
}

QByteArray RestartStage::configuration() const
{
    QByteArray lines = "[server]\nlisten = 127.0.0.1:" + QByteArray::number(m_server.port()) +
                       "\nworkers = " + QByteArray::number(m_settings.workers) + '\n' +
                       m_settings.server + "[tls]\nciphers = " + m_ciphers +
                       "\n[limits]\nmax_half_open = 10000\n" + m_settings.limits +
                       "\n[psk]\nfile =\n";
    for (auto identity = m_identities.begin(); identity != m_identities.end(); ++identity)
        lines += "[identity " + identity.key() + "]\n" + identity.value();
    return lines;
}

void RestartStage::rewrite()
{
    daemon().setConfig(configuration());
}

void RestartStage::setWorkers(int workers)
{
    m_settings.workers = workers;
    rewrite();
}

void RestartStage::setServer(const QByteArray &lines)
{
    m_settings.server = lines;
    rewrite();
}

void RestartStage::setLimits(const QByteArray &lines)
{
    m_settings.limits = lines;
    rewrite();
}

void RestartStage::setCiphers(const QByteArray &ciphers)
{
    m_ciphers = ciphers;
    rewrite();
}

void RestartStage::setIdentity(const TalkingDevice &device, const QByteArray &lines)
{
    if (lines.isNull())
        m_identities.remove(device.name());
    else
        m_identities[device.name()] = lines;
    rewrite();
}

FaultPlan RestartStage::plan() const
{
    FaultPlan plan{.rules = m_settings.rules,
                   .toServer = m_settings.faults,
                   .toClient = m_settings.faults,
                   .longestDelay = std::chrono::milliseconds(200),
                   .seed = m_settings.seed * 10'000};
    for (const Flight flight :
         {Flight::FirstHello, Flight::HelloVerifyRequest, Flight::HelloWithCookie,
          Flight::ServerHello, Flight::ClientFinish, Flight::ServerFinish})
        plan.rules.push_back({.fault = Fault::None, .flight = flight, .last = FaultRule::forEver});
    return plan;
}

MakeLink RestartStage::linkMaker(const QByteArray &identity, bool hasId, int number,
                                 std::chrono::milliseconds handshakeTimeout)
{
    KeyedClient::Options options{.identity = identity, .key = testKey, .ciphers = suiteOf(number)};
    if (hasId)
        options.connectionId = QByteArray(8, 'c');
    return [this, options, handshakeTimeout] {
        auto link = std::make_unique<KeyedLink>(options, handshakeTimeout);
        link->setAddress(QHostAddress(firstAddress + ++m_addresses));
        return link;
    };
}

void RestartStage::makeDevices()
{
    m_withIds = std::make_unique<Relay>(m_server, plan());
    m_withIds->setTap(&m_tapWithIds);
    m_withoutIds = std::make_unique<Relay>(m_server, plan());
    m_withoutIds->setTap(&m_tapWithoutIds);
    const auto timeout = timeoutOf(m_settings.handshakes);
    for (const bool hasId : {true, false}) {
        const int count = hasId ? m_settings.withIds : m_settings.withoutIds;
        for (int i = 0; i < count; ++i) {
            const QByteArray name = nameOf(hasId, i);
            m_devices.push_back(std::make_unique<TalkingDevice>(
                TalkingDevice::Task{.makeLink = linkMaker(name, hasId, i, timeout),
                                    .server = (hasId ? m_withIds : m_withoutIds)->address(),
                                    .name = name,
                                    .handshakes = m_settings.handshakes,
                                    .pause = m_settings.pause,
                                    .patience = m_settings.patience}));
        }
    }
}

bool RestartStage::startDaemon()
{
    if (!m_manager->start())
        return false;
    m_server = daemon().addresses().constFirst();
    rewrite(); // with the port, which the next process has to find again
    makeDevices();
    return true;
}

void RestartStage::startDevices()
{
    for (const auto &device : m_devices)
        device->start();
}

bool RestartStage::start()
{
    if (!startDaemon())
        return false;
    startDevices();
    return goRound();
}

QString RestartStage::trouble()
{
    QString words = daemon().errorText();
    for (const auto &device : m_devices)
        words += QStringLiteral("%1: %2 answered in %3 handshakes; %4\n")
                     .arg(QString::fromLatin1(device->name()))
                     .arg(device->answered())
                     .arg(device->handshakesBegun())
                     .arg(device->endings().join(u", "));
    return words;
}

bool RestartStage::hasId(const TalkingDevice &device) const
{
    return device.name().startsWith("with-id-");
}

void RestartStage::move()
{
    m_withIds->moveAll([this] {
        return QHostAddress(
            static_cast<quint32>(0x7f000002U + (m_random() % 250 << 8) + m_random() % 250));
    });
}

bool RestartStage::goRound(const Which &isMeant, QDeadlineTimer deadline)
{
    std::vector<std::pair<const TalkingDevice *, int>> goals;
    for (const auto &device : m_devices) {
        if (!isMeant || isMeant(*device))
            goals.emplace_back(device.get(), device->answered() + 2);
    }
    const auto isReached = [](const auto &goal) { return goal.first->answered() >= goal.second; };
    return waitUntil([&] { return std::ranges::all_of(goals, isReached); }, deadline);
}

bool RestartStage::settle(QDeadlineTimer deadline)
{
    for (const auto &device : m_devices)
        device->settle();
    const auto isSettled = [](const auto &device) {
        return device->isSettled() || device->hasGivenUp();
    };
    return waitUntil([&] { return std::ranges::all_of(m_devices, isSettled); }, deadline);
}

void RestartStage::goOn()
{
    for (const auto &device : m_devices)
        device->goOn();
}

std::size_t RestartStage::replay()
{
    return m_withIds->replay() + m_withoutIds->replay();
}

std::unique_ptr<TalkingDevice> RestartStage::makeVisitor(bool hasId, int handshakes)
{
    const bool isOnly = handshakes == 1;
    return std::make_unique<TalkingDevice>(TalkingDevice::Task{
        .makeLink = linkMaker(newcomer, hasId, 0, isOnly ? patience : shortTimeout),
        .server = (hasId ? m_withIds : m_withoutIds)->address(),
        .name = newcomer,
        .handshakes = handshakes,
        .patience = isOnly ? 0 : 5});
}

bool RestartStage::servesNewcomers(int count)
{
    Devices newcomers;
    for (int i = 0; i < count; ++i) {
        newcomers.push_back(makeVisitor(i % 2 == 0, 1));
        newcomers.back()->start();
    }
    bool areServed = true;
    for (const int round : {1, 2}) {
        std::vector<int> goals;
        for (const auto &device : newcomers)
            goals.push_back(device->answered() + round);
        const auto isRound = [&] {
            for (std::size_t i = 0; i < goals.size(); ++i) {
                if (newcomers[i]->answered() < goals[i])
                    return false;
            }
            return true;
        };
        areServed = areServed && waitUntil(isRound, QDeadlineTimer(patience));
    }
    for (const auto &device : newcomers)
        device->close();
    return areServed;
}

void RestartStage::letComeAndGo(int count)
{
    for (int i = 0; i < count; ++i) {
        m_visitors.push_back(makeVisitor(i % 2 == 0, manyHandshakes));
        m_visitors.back()->start();
    }
    QObject::connect(&m_visits, &QTimer::timeout, &m_visits, [this] {
        for (std::size_t i = 0; i < m_visitors.size(); ++i) {
            if (m_visitors[i]->answered() < 3)
                continue;
            m_visitors[i]->close();
            m_visitors[i] = makeVisitor(i % 2 == 0, manyHandshakes);
            m_visitors[i]->start();
        }
    });
    m_visits.start(20);
}

bool RestartStage::endAndStart(int signal)
{
    return m_manager->end(signal) && m_manager->start();
}

bool RestartStage::restart()
{
    return m_manager->endByRestart() && m_manager->start();
}

QMap<QByteArray, QStringList> RestartStage::openSessions()
{
    QMap<QByteArray, QStringList> sessions;
    for (const QJsonObject &line :
         ControlPeer::askAll(daemon().controlSocket(), R"({"command":"sessions"})")) {
        const bool isOpen = text(line, "state") == u"established";
        if (isOpen && identityOf(line) != newcomer)
            sessions[identityOf(line)] << text(line, "session");
    }
    return sessions;
}

QList<QJsonObject> RestartStage::datagrams()
{
    QList<QJsonObject> found = daemon().events(QStringLiteral("datagram-received"));
    found.removeIf([](const QJsonObject &event) { return identityOf(event) == newcomer; });
    return found;
}

QList<QByteArray> RestartStage::loggedPayloads()
{
    QList<QByteArray> payloads;
    for (const QJsonObject &event : datagrams())
        payloads << text(event, "payload").toUtf8();
    return payloads;
}

QStringList RestartStage::breaches(Sequences sequences)
{
    QStringList found = repeatedNonces();
    QHash<QByteArray, int> logged;
    QHash<QString, qint64> last; // by session
    for (const QJsonObject &event : datagrams()) {
        ++logged[text(event, "payload").toUtf8()];
        const QString session = text(event, "session");
        const qint64 number = DaemonProcess::number(event[QStringLiteral("sequence")]);
        const bool isRight = sequences == Sequences::HaveNoGap ? number == last[session] + 1
                                                               : number > last[session];
        if (!isRight && sequences != Sequences::Whatever)
            found << QStringLiteral("session %1 has sequence %2 behind %3")
                         .arg(session)
                         .arg(number)
                         .arg(last[session]);
        last[session] = number;
        if (!text(event, "payload").startsWith(text(event, "identity") + u':'))
            found << text(event, "identity") + QStringLiteral(" is said to have sent ") +
                         text(event, "payload");
    }
    for (const auto &device : m_devices) {
        for (const QByteArray &datagram : device->sent()) {
            const int entries = logged.take(datagram);
            const bool isAcknowledged = device->receipts().contains(datagram);
            if (entries > 1 || (isAcknowledged && entries == 0))
                found << QStringLiteral("%1 entries for: %2, %3")
                             .arg(entries)
                             .arg(QString::fromLatin1(datagram),
                                  isAcknowledged ? QStringLiteral("acknowledged")
                                                 : QStringLiteral("not acknowledged"));
        }
        if (device->strangeReceipts() > 0)
            found << QString::fromLatin1(device->name()) +
                         QStringLiteral(" has receipts for what it has not sent");
    }
    for (auto rest = logged.begin(); rest != logged.end(); ++rest)
        found << QStringLiteral("nobody has sent: ") + QString::fromLatin1(rest.key());
    return found;
}

QStringList RestartStage::comebacks(const Which &isMeant)
{
    QHash<QByteArray, QSet<QString>> sessions; // by identity
    for (const char *event : {"session-opened", "datagram-received"}) {
        for (const QJsonObject &one : daemon().events(QLatin1String(event)))
            sessions[identityOf(one)] << text(one, "session");
    }
    QStringList found;
    for (const auto &device : m_devices) {
        const bool isSteady =
            device->handshakesBegun() == 1 && sessions[device->name()].size() <= 1;
        if (!isSteady && (!isMeant || isMeant(*device)))
            found << QStringLiteral("%1 has begun %2 handshakes and had %3 sessions; %4")
                         .arg(QString::fromLatin1(device->name()))
                         .arg(device->handshakesBegun())
                         .arg(sessions[device->name()].size())
                         .arg(device->endings().join(u", "));
    }
    return found;
}

} // namespace dtlsd::test
