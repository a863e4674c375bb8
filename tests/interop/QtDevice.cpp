// SPDX-License-Identifier: Apache-2.0
#include "interop/QtDevice.h"

#include "dtls/DtlsClient.h"
#include "support/ChildProcess.h"

#include <QLibraryInfo>

namespace dtlsd::test {

QString QtDevice::name() const
{
    return QStringLiteral("QDtls ") + QLibraryInfo::version().toString();
}

Conversation QtDevice::converse(const Meeting &meeting)
{
    Conversation conversation;
    DtlsClient::Options options{
        .identity = meeting.identity.toUtf8(), .key = PskKey(key), .ciphers = {}};
    if (!meeting.suite.name.isEmpty())
        options.ciphers =
            CipherPolicy::parse(meeting.suite.name + QStringLiteral(":@SECLEVEL=0")).value();
    DtlsClient client(std::move(options));
    bool failed = false;
    QObject::connect(&client, &DtlsClient::failed, &client, [&failed] { failed = true; });
    QObject::connect(&client, &DtlsClient::received, &client,
                     [&](const QByteArray &reply) { conversation.replies << reply; });
    if (!client.connectTo(meeting.server) ||
        !waitUntil([&] { return failed || client.isConnected(); }, QDeadlineTimer(patience)) ||
        failed) {
        conversation.trouble = client.errorString();
        return conversation;
    }
    for (const QByteArray line : {"temperature=21.5", "humidity=40", "door=shut"}) {
        const auto answered = [&] {
            return conversation.replies.size() == conversation.sent.size();
        };
        conversation.sent << line;
        if (!client.send(line) || !waitUntil(answered, QDeadlineTimer(patience)))
            return conversation;
    }
    client.close();
    conversation.outcome = Outcome::Spoke;
    return conversation;
}

} // namespace dtlsd::test
