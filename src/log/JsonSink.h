// SPDX-License-Identifier: Apache-2.0
//
// JsonSink: writes records as JSON objects, one a line (jsonlines.org), for a collector of
// container logs.
#pragma once

#include "log/LineSink.h"

#include <QByteArray>

namespace dtlsd {

/// @p record as a line, with its line feed: `ts`, `level`, `event`, `message`, `message_id`, and
/// the fields in lower case without `DTLSD_`. A value that is not valid UTF-8 goes into
/// `NAME_base64`. No character in it can end the line or control a terminal.
QByteArray jsonLine(const LogRecord &record);

class JsonSink final : public LineSink
{
public:
    using LineSink::LineSink;

private:
    [[nodiscard]] QByteArray line(const LogRecord &record) const override
    {
        return jsonLine(record);
    }
};

} // namespace dtlsd
