// SPDX-License-Identifier: Apache-2.0
//
// DeviceLink: one DTLS association of a device with a server, made by any program. No call waits.
#pragma once

#include "core/SocketAddress.h"

#include <QByteArray>
#include <QObject>
#include <QString>

#include <functional>
#include <memory>

namespace dtlsd::test {

class DeviceLink : public QObject
{
    Q_OBJECT

public:
    /// Begins the handshake, which ends with connected() or ended().
    virtual void start(const SocketAddress &server) = 0;
    /// One datagram, while connected; a text without newline.
    virtual void send(const QByteArray &message) = 0;
    /// close_notify.
    virtual void close() = 0;

Q_SIGNALS:
    void connected();
    void received(const QByteArray &reply);
    /// The handshake failed, or the association is over.
    void ended(const QString &reason);
};

using MakeLink = std::function<std::unique_ptr<DeviceLink>()>;

} // namespace dtlsd::test
