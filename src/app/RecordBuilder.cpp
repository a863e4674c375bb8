// SPDX-License-Identifier: Apache-2.0
#include "app/RecordBuilder.h"

namespace dtlsd {

RecordBuilder::RecordBuilder(const EventKind &kind, const QString &message)
{
    m_record.time = std::chrono::system_clock::now();
    m_record.priority = kind.priority;
    m_record.messageId = kind.messageId;
    m_record.event = kind.name;
    m_record.message = message.toUtf8();
}

RecordBuilder &RecordBuilder::text(const char *name, const QString &value)
{
    m_record.fields.append({name, value.toUtf8(), LogField::Kind::Text});
    return *this;
}

RecordBuilder &RecordBuilder::bytes(const char *name, QByteArray value)
{
    m_record.fields.append({name, std::move(value), LogField::Kind::Bytes});
    return *this;
}

RecordBuilder &RecordBuilder::duration(std::chrono::microseconds time)
{
    return number("DTLSD_DURATION_USEC", time.count());
}

RecordBuilder &RecordBuilder::traffic(const Traffic &received, const Traffic &sent)
{
    return number("DTLSD_RECEIVED_DATAGRAMS", received.datagrams)
        .number("DTLSD_RECEIVED_BYTES", received.bytes)
        .number("DTLSD_SENT_DATAGRAMS", sent.datagrams)
        .number("DTLSD_SENT_BYTES", sent.bytes);
}

RecordBuilder &RecordBuilder::peer(const SocketAddress &peer)
{
    return text("DTLSD_PEER_ADDRESS", peer.addressText()).number("DTLSD_PEER_PORT", peer.port());
}

RecordBuilder &RecordBuilder::session(const SessionInfo &session, const char *identityName)
{
    const auto id = static_cast<std::uint64_t>(session.id);
    text("DTLSD_SESSION", QStringLiteral("%1").arg(id, 16, 16, QChar(u'0')));
    if (!session.identity.isEmpty())
        bytes(identityName, session.identity);
    peer(session.path.peer).text("DTLSD_LOCAL_ADDRESS", session.path.local.toString());
    if (!session.cipher.isEmpty())
        bytes("DTLSD_CIPHER", session.cipher).bytes("DTLSD_PROTOCOL", session.protocol);
    return *this;
}

} // namespace dtlsd
