// SPDX-License-Identifier: Apache-2.0
#include "support/OpenSslLink.h"

#include <utility>

namespace dtlsd::test {

OpenSslLink::OpenSslLink(ClientProcess::Options options)
    : m_options(std::move(options))
{
}

OpenSslLink::~OpenSslLink()
{
    // The client is killed now; its end must not be reported.
    if (m_client)
        m_client->process().disconnect(this);
}

void OpenSslLink::start(const SocketAddress &server)
{
    m_options.server = server;
    m_client = std::make_unique<ClientProcess>(m_options);
    ChildProcess &process = m_client->process();
    connect(&process, &QProcess::readyReadStandardOutput, this, &OpenSslLink::read);
    connect(&process, &QProcess::readyReadStandardError, this, &OpenSslLink::read);
    connect(&process, &QProcess::finished, this, [this] { Q_EMIT ended(m_client->errorText()); });
    if (!m_client->launch())
        Q_EMIT ended(process.errorString());
}

void OpenSslLink::read()
{
    if (!m_connected && m_client->isConnected()) {
        m_connected = true;
        Q_EMIT connected();
    }
    m_line += m_client->takeReplies();
    for (qsizetype end = m_line.indexOf('\n'); end >= 0; end = m_line.indexOf('\n')) {
        const QByteArray reply = m_line.first(end);
        m_line.remove(0, end + 1);
        Q_EMIT received(reply);
    }
}

void OpenSslLink::send(const QByteArray &message)
{
    m_client->process().write(message + '\n');
}

void OpenSslLink::close()
{
    if (m_client)
        m_client->process().closeWriteChannel();
}

} // namespace dtlsd::test
