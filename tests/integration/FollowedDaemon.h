// SPDX-License-Identifier: Apache-2.0
//
// FollowedDaemon: a dtlsd that writes to the journal, what devices and strangers do to it, and what
// it has to say about that: the side of the story that the recipes are held against.
#pragma once

#include "support/DaemonProcess.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <functional>

namespace dtlsd::test {

class FollowedDaemon
{
public:
    /// One entry, of those about devices.
    struct Said
    {
        QByteArray identity; ///< proved or claimed
        QString address;     ///< of the peer
        QString session;     ///< empty for failures
        QString beginning;   ///< of MESSAGE
        QByteArray payload;
        bool isFailure = false;
    };
    using Which = std::function<bool(const Said &)>;

    explicit FollowedDaemon(JournalInstance &journal);

    [[nodiscard]] bool start() { return m_daemon.start(); }
    [[nodiscard]] QString configFile() const { return m_daemon.configFile(); }
    /// The first address it listens on that is of the same family as @p host.
    [[nodiscard]] SocketAddress addressFor(const QString &host);

    /// A session from its beginning to its end, and a receipt for each of @p payloads.
    [[nodiscard]] bool talk(const QByteArray &identity, const QString &from,
                            const QList<QByteArray> &payloads);
    /// A handshake without the right key.
    [[nodiscard]] bool intrude(const QByteArray &identity, const QString &from);

    /// In the order of the journal.
    [[nodiscard]] QList<Said> said(const Which &which) const;
    [[nodiscard]] QList<QByteArray> payloads(const Which &which) const;

    /// The same, to a server that is not ours to follow.
    [[nodiscard]] static bool send(const SocketAddress &server, const QByteArray &identity,
                                   const QList<QByteArray> &payloads,
                                   SocketAddress *from = nullptr);

private:
    DaemonProcess m_daemon;
    QList<Said> m_said;
};

} // namespace dtlsd::test
