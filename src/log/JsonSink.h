// SPDX-License-Identifier: Apache-2.0
//
// JsonSink: records as JSON objects, one in a line (jsonlines.org), for what collects the output of
// a container.
#pragma once

#include "log/LineSink.h"

#include <QByteArray>

namespace dtlsd {

/// @p record as a line, with its line feed: `ts`, `level`, `event`, `message`, `message_id`, and
/// the fields in lower case without `DTLSD_`. A value that is not valid UTF-8 goes into
/// `NAME_base64`. Nothing in it is left that could end a line or steer a terminal.
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
