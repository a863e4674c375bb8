// SPDX-License-Identifier: Apache-2.0
#include "interop/CoapServer.h"

#include "support/FreePort.h"

#include <QStandardPaths>
#include <QUdpSocket>

namespace dtlsd::test {

namespace {

const QString program = QStringLiteral("coap-server-notls");

/// Whether @p server answers a CoAP ping (RFC 7252 §4.3).
bool answers(const SocketAddress &server)
{
    QUdpSocket socket;
    socket.connectToHost(server.address(), server.port());
    const auto asked = [&socket] {
        socket.write(QByteArray::fromHex("40004242"));
        return socket.waitForReadyRead(50);
    };
    return waitUntil(asked, QDeadlineTimer(patience));
}

} // namespace

bool CoapServer::isAvailable()
{
    return !QStandardPaths::findExecutable(program).isEmpty();
}

bool CoapServer::start()
{
    m_address = {QHostAddress(QHostAddress::LocalHost), freePort()};
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    return m_process.run({program,
                          {QStringLiteral("-A"), QStringLiteral("127.0.0.1"), QStringLiteral("-p"),
                           QString::number(m_address.port()), QStringLiteral("-d"),
                           QStringLiteral("100")}}) &&
           answers(m_address);
}

} // namespace dtlsd::test
