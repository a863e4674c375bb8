// SPDX-License-Identifier: Apache-2.0
//
// LogRecord: one structured log entry on its way to a sink. It refers to no object that caused it.
#pragma once

#include "log/LogOptions.h"

#include <QByteArray>
#include <QVarLengthArray>

#include <chrono>
#include <cstdint>

namespace dtlsd {

struct LogField
{
    enum class Kind : std::uint8_t {
        Text,   ///< UTF-8
        Number, ///< decimal digits
        Bytes   ///< any bytes, kept exactly
    };

    const char *name = nullptr; ///< as in the journal, `DTLSD_PEER_PORT`; a literal
    QByteArray value;
    Kind kind = Kind::Text;
};

struct LogRecord
{
    std::chrono::system_clock::time_point time;
    Priority priority = Priority::Info;
    const char *messageId = nullptr; ///< 32 hex digits, one per kind of event; a literal
    const char *event = nullptr;     ///< DTLSD_EVENT; a literal
    QByteArray message;              ///< one line of UTF-8, input from outside escaped
    QVarLengthArray<LogField, 14> fields;
};

} // namespace dtlsd
