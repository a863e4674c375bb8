// SPDX-License-Identifier: Apache-2.0
#include "dtls/DtlsClient.h"

#include "core/ErrorQueue.h"
#include "dtls/DtlsConfiguration.h"
#include "wire/Record.h"

#include <QSslCipher>
#include <QSslPreSharedKeyAuthenticator>

namespace dtlsd {

DtlsClient::DtlsClient(Options options)
    : m_options(std::move(options))
    , m_dtls(QSslSocket::SslClientMode)
{
    m_dtls.setDtlsConfiguration(pskConfiguration(m_options.ciphers));
    m_dtls.setMtuHint(m_options.mtu);
    connect(
        &m_dtls, &QDtls::pskRequired, this,
        [this](QSslPreSharedKeyAuthenticator *authenticator) {
            authenticator->setIdentity(m_options.identity);
            authenticator->setPreSharedKey(m_options.key.bytes());
        },
        Qt::DirectConnection);
    connect(&m_dtls, &QDtls::handshakeTimeout, this, &DtlsClient::retransmit);
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, [this] {
        fail(Failure::Timeout,
             QStringLiteral("no handshake within %1 ms").arg(m_options.handshakeTimeout.count()));
    });
}

DtlsClient::~DtlsClient() = default;

Result<> DtlsClient::connectTo(const SocketAddress &server)
{
    const SocketAddress any(
        QHostAddress(server.isIPv4() ? QHostAddress::AnyIPv4 : QHostAddress::AnyIPv6), 0);
    auto socket = DatagramSocket::bind(any, {});
    if (!socket)
        return socket.error();
    connectTo(server, std::move(socket).value());
    return success();
}

void DtlsClient::connectTo(const SocketAddress &server, std::unique_ptr<DatagramSocket> socket)
{
    m_socket = std::move(socket);
    m_path = {server, m_socket->localAddress()};
    connect(m_socket.get(), &DatagramSocket::readyRead, this, &DtlsClient::readPendingDatagrams);
    m_dtls.setPeer(server.address(), server.port());
    m_deadline.start(m_options.handshakeTimeout);
    advanceHandshake({});
}

QByteArray DtlsClient::cipher() const
{
    return m_dtls.sessionCipher().name().toLatin1();
}

bool DtlsClient::send(const QByteArray &plaintext)
{
    if (!m_connected || plaintext.isEmpty() || plaintext.size() > Record::maximumPlaintext)
        return false;
    emptyErrorQueue();
    const bool sent = m_dtls.writeDatagramEncrypted(m_socket->output(m_path), plaintext) > 0;
    m_socket->flush();
    return sent;
}

void DtlsClient::close()
{
    m_deadline.stop();
    m_over = true;
    if (!m_connected)
        return;
    m_connected = false;
    emptyErrorQueue();
    m_dtls.shutdown(m_socket->output(m_path));
    m_socket->flush();
}

void DtlsClient::readPendingDatagrams()
{
    // One batch: readyRead() is emitted again while there is more.
    if (!m_socket->receive(m_buffer))
        return;
    for (const ReceivedDatagram &datagram : m_buffer.received) {
        if (datagram.path.peer != m_path.peer)
            continue;
        RecordReader reader(datagram.bytes);
        while (const auto record = reader.next())
            handleRecord(*record);
    }
    m_socket->flush();
}

void DtlsClient::handleRecord(const Record &record)
{
    if (m_over)
        return;
    if (!m_connected) {
        advanceHandshake(record.bytes.toByteArray());
        return;
    }
    emptyErrorQueue();
    const QByteArray plaintext =
        m_dtls.decryptDatagram(m_socket->output(m_path), record.bytes.toByteArray());
    const bool over = m_dtls.dtlsError() != QDtlsError::NoError;
    if (!plaintext.isEmpty())
        Q_EMIT received(plaintext);
    if (over && !m_over) {
        m_over = true;
        m_connected = false;
        Q_EMIT closed();
    }
}

void DtlsClient::advanceHandshake(const QByteArray &bytes)
{
    emptyErrorQueue();
    m_dtls.doHandshake(m_socket->output(m_path), bytes);
    const QString error = m_dtls.dtlsErrorString();
    m_socket->flush();
    if (m_dtls.handshakeState() == QDtls::HandshakeComplete) {
        m_deadline.stop();
        m_connected = true;
        Q_EMIT connected();
    } else if (m_dtls.handshakeState() != QDtls::HandshakeInProgress) {
        fail(bytes.isEmpty() ? Failure::Error : Failure::Refused, error);
    }
}

void DtlsClient::retransmit()
{
    // In any other state handleTimeout() crashes or starts a timer that nobody stops.
    if (m_over || m_dtls.handshakeState() != QDtls::HandshakeInProgress)
        return;
    emptyErrorQueue();
    m_dtls.handleTimeout(m_socket->output(m_path));
    m_socket->flush();
}

void DtlsClient::fail(Failure failure, const QString &reason)
{
    m_deadline.stop();
    m_over = true;
    m_errorString = reason;
    Q_EMIT failed(failure);
}

} // namespace dtlsd
