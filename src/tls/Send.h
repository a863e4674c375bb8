// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArrayView>
#include <QHostAddress>
#include <QUdpSocket>

namespace dtlsd {

/// Passes @p datagram to @p output, which sends it to @p peer unless the socket is connected. As
/// usual with UDP, a datagram that the socket does not accept is lost.
inline void send(QUdpSocket &output, QByteArrayView datagram, const QHostAddress &peer,
                 quint16 port)
{
    if (output.state() == QAbstractSocket::ConnectedState)
        output.write(datagram.data(), datagram.size());
    else
        output.writeDatagram(datagram.data(), datagram.size(), peer, port);
}

} // namespace dtlsd
