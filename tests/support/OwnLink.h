// SPDX-License-Identifier: Apache-2.0
//
// OwnLink: a DeviceLink made by our DtlsClient.
#pragma once

#include "dtls/DtlsClient.h"
#include "support/DeviceLink.h"

namespace dtlsd::test {

class OwnLink : public DeviceLink
{
    Q_OBJECT

public:
    explicit OwnLink(DtlsClient::Options options);

    void start(const SocketAddress &server) override;
    void send(const QByteArray &message) override { m_client.send(message); }
    void close() override { m_client.close(); }

private:
    DtlsClient m_client;
};

} // namespace dtlsd::test
