// SPDX-License-Identifier: Apache-2.0
#include "events/RecordBuilder.h"

namespace dtlsd {

RecordBuilder::RecordBuilder(const EventKind &kind)
{
    m_record.time = std::chrono::system_clock::now();
    m_record.priority = kind.priority;
    m_record.messageId = kind.messageId;
    m_record.event = kind.name;
}

RecordBuilder &RecordBuilder::message(const QString &text)
{
    m_record.message = text.toUtf8();
    return *this;
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

RecordBuilder &RecordBuilder::session(const SessionInfo &session, const char *identityName)
{
    const SocketAddress &peer = session.path.peer;
    m_record.fields.append({"DTLSD_SESSION", session.idText(), LogField::Kind::Text});
    if (session.hasIdentity())
        bytes(identityName, session.identity);
    m_record.fields.append({"DTLSD_PEER_ADDRESS", peer.addressUtf8(), LogField::Kind::Text});
    m_record.fields.append(
        {"DTLSD_PEER_PORT", QByteArray::number(peer.port()), LogField::Kind::Number});
    m_record.fields.append(
        {"DTLSD_LOCAL_ADDRESS", session.path.local.toUtf8(), LogField::Kind::Text});
    if (session.isOpen())
        bytes("DTLSD_CIPHER", session.cipher.text()).bytes("DTLSD_PROTOCOL", SessionInfo::protocol);
    return *this;
}

RecordBuilder &RecordBuilder::alert(const std::optional<Alert> &alert)
{
    return alert ? text("DTLSD_ALERT", QString::fromLatin1(alert->text())) : *this;
}

RecordBuilder &RecordBuilder::place(const ConfigMessage &message)
{
    text("DTLSD_CONFIG_FILE", message.file);
    if (message.line > 0)
        number("DTLSD_CONFIG_LINE", message.line);
    return *this;
}

} // namespace dtlsd
