// SPDX-License-Identifier: Apache-2.0
//
// RecordBuilder: builds a log record field by field.
#pragma once

#include "config/Config.h"
#include "dtls/Events.h"
#include "events/EventKind.h"
#include "log/LogRecord.h"

#include <QByteArray>
#include <QString>

#include <chrono>
#include <concepts>
#include <optional>
#include <utility>

namespace dtlsd {

class RecordBuilder
{
public:
    explicit RecordBuilder(const EventKind &kind);

    RecordBuilder &message(const QString &text);

    RecordBuilder &text(const char *name, const QString &value);
    RecordBuilder &bytes(const char *name, QByteArray value);
    RecordBuilder &number(const char *name, std::integral auto value)
    {
        m_record.fields.append({name, QByteArray::number(value), LogField::Kind::Number});
        return *this;
    }
    /// DTLSD_DURATION_USEC, in microseconds like systemd's own fields.
    RecordBuilder &duration(std::chrono::microseconds time);
    /// DTLSD_RECEIVED_DATAGRAMS, DTLSD_RECEIVED_BYTES, DTLSD_SENT_DATAGRAMS, DTLSD_SENT_BYTES.
    RecordBuilder &traffic(const Traffic &received, const Traffic &sent);
    /// DTLSD_SESSION, the addresses, the identity under @p identityName, and the cipher once known.
    RecordBuilder &session(const SessionInfo &session, const char *identityName);

    /// DTLSD_ALERT, if there is one.
    RecordBuilder &alert(const std::optional<Alert> &alert);

    /// DTLSD_CONFIG_FILE and, if @p message is about a line, DTLSD_CONFIG_LINE.
    RecordBuilder &place(const ConfigMessage &message);

    [[nodiscard]] LogRecord take() { return std::move(m_record); }

private:
    LogRecord m_record;
};

} // namespace dtlsd
