// SPDX-License-Identifier: Apache-2.0
//
// Device: a client of the interoperability matrix. It holds one session with a server and tells
// what it saw; it judges nothing. What each client is known not to manage stands in expected(),
// so that a test notices when that changes.
#pragma once

#include "core/SocketAddress.h"
#include "interop/CipherSuite.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <memory>
#include <vector>

namespace dtlsd::test {

/// How a session went, seen from the device.
enum class Outcome {
    Spoke,           ///< handshake, datagrams, replies, close_notify
    LacksSuite,      ///< its library does not know the suite; nothing was sent
    Crashed,         ///< of itself, after the handshake
    RefusedKeyShare, ///< ended the handshake over the server's ECDHE key share
    NothingInCommon, ///< does not offer the suite, and was refused with an alert
    Failed           ///< in a way that no client is known for
};

/// What stands in the table for it.
QString description(Outcome outcome);

struct Conversation
{
    Outcome outcome = Outcome::Failed;
    QList<QByteArray> sent; ///< plaintexts: each must be in the server's log, byte for byte
    QList<QByteArray> replies;
    QString trouble; ///< in the client's own words
};

class Device
{
public:
    struct Meeting
    {
        SocketAddress server;
        QString identity;
        CipherSuite suite;
    };

    /// The same for all: 16 printable bytes, because libcoap's clients take no others.
    static const QByteArray key;

    Device() = default;
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;
    virtual ~Device();

    /// With its version.
    [[nodiscard]] virtual QString name() const = 0;
    [[nodiscard]] virtual bool isAvailable() const { return true; }
    /// false: it offers what it likes, so the server has to offer one suite alone.
    [[nodiscard]] virtual bool choosesSuite() const { return true; }
    /// `[identity] reply` for it; empty = the server's default, `to PEER: ACK`.
    [[nodiscard]] virtual QByteArray replyTemplate() const { return {}; }
    /// @p suite is empty when none was negotiated.
    [[nodiscard]] virtual Outcome expected(const QString &suite) const;
    /// Ends with the device's close_notify.
    [[nodiscard]] virtual Conversation converse(const Meeting &meeting) = 0;
    /// Waits for clients that have said goodbye and have not gone yet. Those that did not end with
    /// exit status 0.
    [[nodiscard]] virtual QStringList seeOff() { return {}; }
};

/// Every client of the matrix.
std::vector<std::unique_ptr<Device>> allDevices();

} // namespace dtlsd::test
