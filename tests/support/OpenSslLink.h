// SPDX-License-Identifier: Apache-2.0
//
// OpenSslLink: a DeviceLink made by `openssl s_client`, which ends each message with a newline.
#pragma once

#include "support/ClientProcess.h"
#include "support/DeviceLink.h"

#include <memory>

namespace dtlsd::test {

class OpenSslLink : public DeviceLink
{
    Q_OBJECT

public:
    /// start() names the server.
    explicit OpenSslLink(ClientProcess::Options options);
    ~OpenSslLink() override;

    void start(const SocketAddress &server) override;
    void send(const QByteArray &message) override;
    void close() override;

private:
    void read();

    ClientProcess::Options m_options;
    bool m_connected = false;
    QByteArray m_line; // begun, not ended yet
    std::unique_ptr<ClientProcess> m_client;
};

} // namespace dtlsd::test
