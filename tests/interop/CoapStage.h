// SPDX-License-Identifier: Apache-2.0
//
// CoapStage: libcoap's server behind dtlsd, which logs to a journal where that is possible, and its
// clients in front. A relay between dtlsd and the server, which changes nothing, tells what dtlsd
// has handed over.
#pragma once

#include "interop/CoapClient.h"
#include "interop/CoapServer.h"
#include "support/DaemonProcess.h"
#include "support/JournalInstance.h"
#include "support/Relay.h"

#include <QList>
#include <QString>

#include <optional>

namespace dtlsd::test {

class CoapStage
{
public:
    /// Of every device; text, as libcoap's clients take it.
    static const QByteArray key;
    /// libcoap's clients, on one TLS library each.
    static const QStringList secureClients;

    /// Whether libcoap's programs are installed.
    static bool isAvailable();

    /// false: errorText() says why.
    [[nodiscard]] bool start();
    [[nodiscard]] QString errorText();
    /// The exit status of dtlsd, and what it has said on standard error.
    [[nodiscard]] std::optional<int> stop() { return m_daemon->stop(); }

    [[nodiscard]] DaemonProcess &daemon() { return *m_daemon; }
    [[nodiscard]] SocketAddress address() const { return m_address; } ///< dtlsd's
    [[nodiscard]] SocketAddress serverAddress() const { return m_server.address(); }

    /// Of a client without DTLS, to the server itself.
    [[nodiscard]] CoapClient::Options direct(const QString &path,
                                             const QStringList &arguments) const;
    /// Of @p program as the device @p identity, through dtlsd.
    [[nodiscard]] CoapClient::Options secure(const QString &program, const QString &identity,
                                             const QString &path,
                                             const QStringList &arguments) const;
    /// Puts @p text at @p path of the server, without DTLS. false: it does not say that it did.
    [[nodiscard]] bool put(const QString &path, const QByteArray &text) const;

    /// What dtlsd has handed over since forget(), in the order in which it did.
    [[nodiscard]] const QList<QByteArray> &handedOver() const { return m_handedOver; }
    void forget() { m_handedOver.clear(); }
    /// How many peers the server could tell apart by now, behind dtlsd.
    [[nodiscard]] std::size_t peers() const { return m_tap->clients(); }
    /// What was logged of the devices whose identity begins so.
    [[nodiscard]] QList<QByteArray> logged(const QString &identity);
    /// Waits until the one session of @p identity has been closed by its device.
    [[nodiscard]] bool waitForEnd(const QString &identity);

private:
    CoapServer m_server;
    std::optional<Relay> m_tap;
    QList<QByteArray> m_handedOver;
    std::optional<JournalInstance> m_journal;
    std::optional<DaemonProcess> m_daemon;
    SocketAddress m_address;
};

} // namespace dtlsd::test
