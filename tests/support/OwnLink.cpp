// SPDX-License-Identifier: Apache-2.0
#include "support/OwnLink.h"

#include <QMetaEnum>

#include <utility>

namespace dtlsd::test {

OwnLink::OwnLink(DtlsClient::Options options)
    : m_client(std::move(options))
{
    connect(&m_client, &DtlsClient::connected, this, &OwnLink::connected);
    connect(&m_client, &DtlsClient::received, this, &OwnLink::received);
    connect(&m_client, &DtlsClient::closed, this,
            [this] { Q_EMIT ended(QStringLiteral("the association is over")); });
    connect(&m_client, &DtlsClient::failed, this, [this](DtlsClient::Failure failure) {
        const char *kind = QMetaEnum::fromType<DtlsClient::Failure>().valueToKey(int(failure));
        Q_EMIT ended(QString::fromLatin1(kind) + u' ' + m_client.errorString());
    });
}

void OwnLink::start(const SocketAddress &server)
{
    if (const auto started = m_client.connectTo(server); !started)
        Q_EMIT ended(started.error().message);
}

} // namespace dtlsd::test
