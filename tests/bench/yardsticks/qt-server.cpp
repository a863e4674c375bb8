// SPDX-License-Identifier: Apache-2.0
//
// Usage: qt-server PORT KEYFILE
// Qt's DTLS server example without its window, for comparison: one datagram each time that the
// socket is readable, a search through all peers for the sender, Qt's default configuration. It
// echoes and has no log. Prints `ready` on standard output.
#include "bench/yardsticks/Yardstick.h"

#include <QCoreApplication>
#include <QDtls>
#include <QSslConfiguration>
#include <QSslPreSharedKeyAuthenticator>
#include <QUdpSocket>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

using dtlsd::bench::Yardstick;

namespace {

class EchoServer : public QObject
{
public:
    explicit EchoServer(const std::string &key)
        : m_key(QByteArray::fromStdString(key))
        , m_configuration(QSslConfiguration::defaultDtlsConfiguration())
    {
        m_configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
        connect(&m_socket, &QUdpSocket::readyRead, this, &EchoServer::readDatagram);
    }

    bool listen(std::uint16_t port)
    {
        if (!m_socket.bind(QHostAddress::LocalHost, port))
            return false;
        m_socket.setSocketOption(QAbstractSocket::ReceiveBufferSizeSocketOption,
                                 dtlsd::bench::receiveBufferSize);
        return true;
    }

private:
    using Peers = std::vector<std::unique_ptr<QDtls>>;

    void readDatagram()
    {
        QByteArray datagram(m_socket.pendingDatagramSize(), Qt::Uninitialized);
        QHostAddress address;
        quint16 port = 0;
        const qint64 size =
            m_socket.readDatagram(datagram.data(), datagram.size(), &address, &port);
        if (size <= 0)
            return;
        datagram.resize(size);
        const auto peer = std::find_if(m_peers.begin(), m_peers.end(), [&](const auto &connection) {
            return connection->peerAddress() == address && connection->peerPort() == port;
        });
        if (peer == m_peers.end())
            greet(address, port, datagram);
        else if (!(*peer)->isConnectionEncrypted())
            continueHandshake(peer, datagram);
        else
            echo(peer, datagram);
    }

    void greet(const QHostAddress &address, quint16 port, const QByteArray &hello)
    {
        if (!m_verifier.verifyClient(&m_socket, hello, address, port))
            return;
        auto connection = std::make_unique<QDtls>(QSslSocket::SslServerMode);
        connection->setDtlsConfiguration(m_configuration);
        connection->setPeer(address, port);
        connect(connection.get(), &QDtls::pskRequired, this,
                [this](QSslPreSharedKeyAuthenticator *authenticator) {
                    authenticator->setPreSharedKey(m_key);
                });
        m_peers.push_back(std::move(connection));
        continueHandshake(std::prev(m_peers.end()), hello);
    }

    void continueHandshake(Peers::iterator peer, const QByteArray &datagram)
    {
        if (!(*peer)->doHandshake(&m_socket, datagram))
            m_peers.erase(peer);
    }

    void echo(Peers::iterator peer, const QByteArray &datagram)
    {
        const QByteArray text = (*peer)->decryptDatagram(&m_socket, datagram);
        if (!text.isEmpty())
            (*peer)->writeDatagramEncrypted(&m_socket, text);
        else if ((*peer)->dtlsError() == QDtlsError::RemoteClosedConnectionError)
            m_peers.erase(peer);
    }

    const QByteArray m_key;
    QSslConfiguration m_configuration;
    QDtlsClientVerifier m_verifier;
    QUdpSocket m_socket;
    Peers m_peers;
};

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const auto options = Yardstick::parse(argc, argv);
    if (!options)
        return EXIT_FAILURE;
    EchoServer server(options->key);
    if (!server.listen(options->port)) {
        std::cerr << "port " << options->port << " is taken\n";
        return EXIT_FAILURE;
    }
    std::cout << "ready\n" << std::flush;
    return QCoreApplication::exec();
}
