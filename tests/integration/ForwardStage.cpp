// SPDX-License-Identifier: Apache-2.0
#include "ForwardStage.h"

#include "support/ControlPeer.h"
#include "support/JsonFields.h"
#include "support/TestKey.h"

#include <algorithm>
#include <utility>

namespace dtlsd::test {

HearingDevice::HearingDevice(const SocketAddress &server, const QByteArray &identity)
    : m_client(DtlsClient::Options{.identity = identity,
                                   .key = PskKey(testKey),
                                   .ciphers = {},
                                   .handshakeTimeout = patience})
{
    bool isOver = false;
    QObject::connect(&m_client, &DtlsClient::received, &m_client,
                     [this](const QByteArray &text) { m_heard.push_back(text); });
    QObject::connect(&m_client, &DtlsClient::connected, &m_client, [&] { isOver = true; });
    QObject::connect(&m_client, &DtlsClient::failed, &m_client, [&] { isOver = true; });
    if (m_client.connectTo(server))
        waitUntil([&] { return isOver; }, QDeadlineTimer(patience));
    QObject::disconnect(&m_client, &DtlsClient::connected, nullptr, nullptr);
    QObject::disconnect(&m_client, &DtlsClient::failed, nullptr, nullptr);
}

bool HearingDevice::hasHeard(const QByteArray &text) const
{
    return std::ranges::find(m_heard, text) != m_heard.end();
}

ForwardStage::ForwardStage(Settings settings)
    : m_settings(std::move(settings))
    , m_service(m_settings.host)
    , m_daemon(configuration(m_service.address().toUtf8(), 0), m_settings.journal)
{
}

QByteArray ForwardStage::keyLine()
{
    return "key = hex:" + hexKey + '\n';
}

QByteArray ForwardStage::configuration(const QByteArray &service, std::uint16_t port) const
{
    QByteArray lines = "[server]\nlisten = 127.0.0.1:" + QByteArray::number(port) +
                       "\nworkers = " + QByteArray::number(m_settings.workers) +
                       "\nforward = " + service + '\n' + m_settings.server +
                       "[limits]\nmax_sessions = 4000\n[psk]\nfile =\n" + m_settings.sections +
                       m_settings.identities;
    for (const char *name : {"one", "two"})
        lines += "[identity " + QByteArray(name) + "]\n" + keyLine();
    for (int i = 0; i < 20; ++i)
        lines += "[identity device-" + QByteArray::number(i) + "]\n" + keyLine();
    return lines + "[identity three]\nforward = none\n" + keyLine();
}

bool ForwardStage::start()
{
    return m_daemon.start();
}

void ForwardStage::setService(const QByteArray &address)
{
    m_daemon.setConfig(configuration(address, server().port()));
}

QJsonObject ForwardStage::status() const
{
    return ControlPeer::ask(m_daemon.controlSocket(), R"({"command":"status"})");
}

qint64 ForwardStage::forwarded(const char *name) const
{
    return number(status()[QStringLiteral("forward")].toObject(), name);
}

qint64 ForwardStage::dropped(const char *cause) const
{
    return number(status()[QStringLiteral("forward")][QStringLiteral("dropped")].toObject(), cause);
}

qint64 ForwardStage::metric(const QByteArray &name, const QByteArray &label) const
{
    const QString all =
        text(ControlPeer::ask(m_daemon.controlSocket(), R"({"command":"metrics"})"), "metrics");
    for (const QByteArray &line : all.toUtf8().split('\n')) {
        if (line.startsWith(name + '{') && line.contains(label))
            return line.sliced(line.lastIndexOf(' ') + 1).toLongLong();
    }
    return -1;
}

} // namespace dtlsd::test
