// SPDX-License-Identifier: Apache-2.0
#include "interop/CoapStage.h"

namespace dtlsd::test {

namespace {

const QString plainClient = QStringLiteral("coap-client-notls");

QByteArray payloadOf(const QJsonObject &event)
{
    const QString base64 = event[QStringLiteral("payload_base64")].toString();
    return base64.isEmpty() ? JournalInstance::bytes(event[QStringLiteral("payload")])
                            : QByteArray::fromBase64(base64.toLatin1());
}

} // namespace

const QByteArray CoapStage::key = "interoperability";
const QStringList CoapStage::secureClients{QStringLiteral("coap-client-openssl"),
                                           QStringLiteral("coap-client-gnutls")};

bool CoapStage::isAvailable()
{
    return CoapServer::isAvailable() && CoapClient::isAvailable(plainClient) &&
           CoapClient::isAvailable(secureClients[0]) && CoapClient::isAvailable(secureClients[1]);
}

bool CoapStage::start()
{
    if (!m_server.start())
        return false;
    m_tap.emplace(m_server.address(), FaultPlan());
    m_tap->setWatcher([this](const QByteArray &datagram) { m_handedOver << datagram; });
    if (JournalInstance::isAvailable(nullptr)) {
        m_journal.emplace();
        if (!m_journal->start())
            return false;
    }
    m_daemon.emplace("[server]\nlisten = 127.0.0.1:0\nworkers = 2\nforward = " +
                         m_tap->address().toString().toLatin1() +
                         "\n[psk]\nfile =\n[identity *]\nkey = text:" + key + '\n',
                     m_journal ? &*m_journal : nullptr);
    if (!m_daemon->start())
        return false;
    m_address = m_daemon->addresses().constFirst();
    return true;
}

QString CoapStage::errorText()
{
    return m_daemon                                         ? m_daemon->errorText()
           : m_journal && !m_journal->errorText().isEmpty() ? m_journal->errorText()
                                                            : m_server.log();
}

CoapClient::Options CoapStage::direct(const QString &path, const QStringList &arguments) const
{
    return {plainClient, m_server.address(), {}, {}, path, arguments};
}

CoapClient::Options CoapStage::secure(const QString &program, const QString &identity,
                                      const QString &path, const QStringList &arguments) const
{
    return {program, m_address, identity, key, path, arguments};
}

bool CoapStage::put(const QString &path, const QByteArray &text) const
{
    CoapClient client(direct(path, {QStringLiteral("-m"), QStringLiteral("put"),
                                    QStringLiteral("-e"), QString::fromLatin1(text)}));
    return client.run() && client.answers().size() == 1;
}

QList<QByteArray> CoapStage::logged(const QString &identity)
{
    QList<QByteArray> payloads;
    for (const QJsonObject &event : m_daemon->events(QStringLiteral("datagram-received"))) {
        if (event[QStringLiteral("identity")].toString().startsWith(identity))
            payloads << payloadOf(event);
    }
    return payloads;
}

bool CoapStage::waitForEnd(const QString &identity)
{
    const auto closed =
        m_daemon->waitForEvent(QStringLiteral("session-closed"), [&](const QJsonObject &event) {
            return event[QStringLiteral("identity")].toString() == identity;
        });
    return closed && closed->value(QStringLiteral("reason")) == QStringLiteral("close-notify");
}

} // namespace dtlsd::test
