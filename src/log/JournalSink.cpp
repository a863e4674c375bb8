// SPDX-License-Identifier: Apache-2.0
#include "log/JournalSink.h"

#include <QByteArray>

#include <sys/stat.h>

#define SD_JOURNAL_SUPPRESS_LOCATION // CODE_FILE= and its kin would say "here" in every entry
#include <systemd/sd-journal.h>

namespace dtlsd {

JournalSink::JournalSink(std::string socket)
    : m_socket(std::move(socket))
{
}

bool JournalSink::write(const LogRecord &record)
{
    serialize(record);
    // sd_journal_sendv() says 0 as well when there was no socket to send to. If the same one is
    // there before and after, it was there in between.
    const auto socket = socketIdentity();
    return socket && sd_journal_sendv(m_fields.data(), static_cast<int>(m_fields.size())) == 0 &&
           socketIdentity() == socket;
}

std::optional<JournalSink::FileIdentity> JournalSink::socketIdentity() const
{
    struct stat status = {};
    if (stat(m_socket.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
        return std::nullopt;
    return FileIdentity(status.st_dev, status.st_ino);
}

void JournalSink::serialize(const LogRecord &record)
{
    m_buffer.clear();
    m_ends.clear();
    append("MESSAGE", record.message);
    append("MESSAGE_ID", record.messageId);
    append("PRIORITY", QByteArray::number(static_cast<int>(record.priority)));
    append("SYSLOG_IDENTIFIER", "dtlsd");
    append("DTLSD_EVENT", record.event);
    for (const LogField &field : record.fields)
        append(field.name, field.value);

    // Only now, since a growing buffer moves.
    m_fields.clear();
    std::size_t begin = 0;
    for (const std::size_t end : m_ends) {
        m_fields.push_back({m_buffer.data() + begin, end - begin});
        begin = end;
    }
}

void JournalSink::append(QByteArrayView name, QByteArrayView value)
{
    m_buffer.append(name.begin(), name.end()).append(1, '=').append(value.begin(), value.end());
    m_ends.push_back(m_buffer.size());
}

} // namespace dtlsd
