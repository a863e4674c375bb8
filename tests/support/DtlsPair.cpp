// SPDX-License-Identifier: Apache-2.0
#include "support/DtlsPair.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"

#include <QSslPreSharedKeyAuthenticator>

#include <utility>

namespace dtlsd::test {

namespace {

constexpr int enoughSteps = 32;

void provideKeyTo(QDtls &dtls, const QByteArray &key)
{
    QObject::connect(
        &dtls, &QDtls::pskRequired, &dtls,
        [key](QSslPreSharedKeyAuthenticator *authenticator) {
            authenticator->setIdentity(DtlsPair::identity);
            authenticator->setPreSharedKey(key);
        },
        Qt::DirectConnection);
}

QByteArray step(QDtls &dtls, QUdpSocket &output, const QByteArray &datagram)
{
    emptyErrorQueue(); // which Qt's own backend needs
    if (dtls.isConnectionEncrypted())
        return dtls.decryptDatagram(&output, datagram);
    dtls.doHandshake(&output, datagram);
    return {};
}

} // namespace

DatagramQueue::DatagramQueue()
{
    setSocketState(ConnectedState);
    setOpenMode(ReadWrite | Unbuffered);
}

QByteArray DatagramQueue::take()
{
    if (datagrams.empty())
        return {};
    QByteArray first = std::move(datagrams.front());
    datagrams.pop_front();
    return first;
}

qint64 DatagramQueue::writeData(const char *data, qint64 size)
{
    datagrams.emplace_back(data, size);
    return size;
}

DtlsPair::DtlsPair(const QByteArray &serverKey, const QByteArray &clientKey)
{
    verifier.setCookieGeneratorParameters(cookie);
    server.setDtlsConfiguration(serverConfiguration(ServerSettings()));
    server.setCookieGeneratorParameters(cookie);
    server.setPeer(clientAddress, clientPort);
    client.setDtlsConfiguration(pskConfiguration(CipherPolicy()));
    client.setPeer(QHostAddress(QHostAddress::LocalHost), clientPort);
    provideKeyTo(server, serverKey);
    provideKeyTo(client, clientKey);
}

QByteArray DtlsPair::helloWithCookie()
{
    emptyErrorQueue();
    client.doHandshake(&toServer);
    verifier.verifyClient(&toClient, toServer.take(), clientAddress, clientPort);
    client.doHandshake(&toServer, toClient.take());
    const QByteArray hello = toServer.take();
    const bool isVerified = verifier.verifyClient(&toClient, hello, clientAddress, clientPort);
    return isVerified ? hello : QByteArray();
}

QByteArray DtlsPair::arrive(const QByteArray &datagram)
{
    return step(server, toClient, datagram);
}

QByteArray DtlsPair::answer(const QByteArray &datagram)
{
    return step(client, toServer, datagram);
}

bool DtlsPair::handshake()
{
    arrive(helloWithCookie());
    for (int i = 0; i < enoughSteps; ++i) {
        while (!toClient.datagrams.empty())
            answer(toClient.take());
        while (!toServer.datagrams.empty())
            arrive(toServer.take());
    }
    return server.isConnectionEncrypted() && client.isConnectionEncrypted();
}

} // namespace dtlsd::test
