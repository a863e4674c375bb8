// SPDX-License-Identifier: Apache-2.0
#include "support/EventStage.h"

#include "support/CraftedHello.h"

#include <QNetworkDatagram>
#include <QSignalSpy>
#include <QTest>

#include <algorithm>

namespace dtlsd::test {

namespace {

QByteArray configuration(const EventStage::Settings &settings, const QByteArray &listen)
{
    return "[server]\nlisten = " + listen + "\nworkers = 1\nreply = echo\n" + settings.server +
           "\n[limits]\n" + settings.limits + "\n[log]\nlevel = " + settings.level + '\n' +
           settings.log + "\n[psk]\nfile =\n[identity sensor-17]\nkey = hex:" + hexKey + '\n' +
           settings.identities;
}

void bindAtLoopback(QUdpSocket &socket, std::uint16_t port)
{
    if (!socket.bind(QHostAddress::LocalHost, port, QUdpSocket::ShareAddress))
        qFatal("no port for a service");
}

/// Nobody else takes its port meanwhile, and what is sent there is refused: it is connected to
/// itself.
QByteArray reserveAddress(QUdpSocket &socket)
{
    bindAtLoopback(socket, 0);
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), socket.localPort());
    return "127.0.0.1:" + QByteArray::number(socket.localPort());
}

EventStage::Settings withService(EventStage::Settings settings, const QByteArray &service)
{
    settings.server.replace("{service}", service);
    return settings;
}

} // namespace

const QByteArray EventStage::cipher = "PSK-AES128-GCM-SHA256";

EventStage::EventStage(const Settings &settings, JournalInstance *journal)
    : m_facts{{"service", reserveAddress(m_placeholder)}}
    , m_settings(withService(settings, m_facts["service"]))
    , m_journal(journal)
    , m_daemon(std::make_unique<DaemonProcess>(configuration(m_settings, "127.0.0.1:0"), journal))
{
}

void EventStage::callService()
{
    bindAtLoopback(m_service, m_placeholder.localPort());
}

void EventStage::start()
{
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    m_server = m_daemon->addresses().constFirst();
    m_facts.insert("server", m_server.toString().toUtf8());
    m_facts.insert("config", m_daemon->configFile().toUtf8());
}

void EventStage::stop()
{
    if (m_daemon->process().isRunning())
        QCOMPARE(m_daemon->stop(), 0);
}

void EventStage::startUnderstudy()
{
    m_understudy = std::make_unique<DaemonProcess>(
        configuration(m_settings, m_server.toString().toUtf8()), m_journal);
    QVERIFY(m_understudy->launch());
    QCOMPARE(m_understudy->waitForExit(), 69);
}

DtlsClient::Options EventStage::sensor(const QByteArray &identity, const QByteArray &deviceKey)
{
    return {.identity = identity,
            .key = PskKey(deviceKey),
            .ciphers = CipherPolicy::parse(QString::fromLatin1(cipher)).value()};
}

void EventStage::remember(std::uint16_t port)
{
    if (!m_facts.contains("port"))
        m_facts.insert("port", QByteArray::number(port));
}

DtlsClient &EventStage::knock(const DtlsClient::Options &options, std::uint16_t port)
{
    auto bound = DatagramSocket::bind(SocketAddress(QHostAddress(QHostAddress::LocalHost), port),
                                      DatagramSocket::Options());
    if (!bound)
        qFatal("%s", qPrintable(bound.error().message));
    auto socket = std::move(bound).value();
    remember(socket->localAddress().port());
    m_devices.push_back({socket.get(), std::make_unique<DtlsClient>(options)});
    DtlsClient &device = *m_devices.back().client;
    device.connectTo(m_server, std::move(socket));
    return device;
}

DtlsClient &EventStage::connectDevice(std::uint16_t port)
{
    DtlsClient &device = knock(sensor(), port);
    waitForSession(device);
    return device;
}

void EventStage::waitForSession(const DtlsClient &device)
{
    QVERIFY(waitUntil([&device] { return device.isConnected(); }, QDeadlineTimer(patience)));
}

void EventStage::exchange(DtlsClient &device, const QByteArray &message)
{
    QSignalSpy received(&device, &DtlsClient::received);
    QVERIFY(device.send(message));
    QVERIFY(received.wait(qtPatience));
    QCOMPARE(received.constFirst().constFirst().toByteArray(), message);
}

DatagramSocket *EventStage::socketOf(const DtlsClient &device) const
{
    return std::find_if(m_devices.begin(), m_devices.end(),
                        [&device](const Device &own) { return own.client.get() == &device; })
        ->socket;
}

void EventStage::forge(const DtlsClient &device, const QByteArray &datagram)
{
    DatagramSocket *socket = socketOf(device);
    socket->output({m_server, socket->localAddress()})->write(datagram);
    socket->flush();
}

void EventStage::forget(const DtlsClient &device)
{
    std::erase_if(m_devices, [&device](const Device &own) { return own.client.get() == &device; });
}

QUdpSocket &EventStage::helloByHand()
{
    m_peers.push_back(std::make_unique<QUdpSocket>());
    beginHandshake(*m_peers.back());
    return *m_peers.back();
}

void EventStage::beginHandshake(QUdpSocket &peer)
{
    const auto isAnswered = [&](const CraftedHello &hello) {
        peer.writeDatagram(hello.datagram(), m_server.address(), m_server.port());
        return waitUntil([&peer] { return peer.hasPendingDatagrams(); }, QDeadlineTimer(patience));
    };
    QVERIFY(peer.bind(QHostAddress::LocalHost));
    remember(peer.localPort());
    QVERIFY(isAnswered(CraftedHello()));
    const auto cookie = cookieOf(peer.receiveDatagram().data());
    QVERIFY(cookie);
    QVERIFY(isAnswered(CraftedHello{.cookie = *cookie}));
}

void EventStage::throwIn(const QByteArray &datagram)
{
    QCOMPARE(m_stranger.writeDatagram(datagram, m_server.address(), m_server.port()),
             datagram.size());
}

} // namespace dtlsd::test
