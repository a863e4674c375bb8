// SPDX-License-Identifier: Apache-2.0
//
// JsonSink: records as JSON objects, one in a line (jsonlines.org), for what collects the output of
// a container.
#pragma once

#include "log/LineWriter.h"
#include "log/Sink.h"

#include <QByteArray>

namespace dtlsd {

/// @p record as a line, with its line feed: `ts`, `level`, `event`, `message`, `message_id`, and
/// the fields in lower case without `DTLSD_`. A value that is not valid UTF-8 goes into
/// `NAME_base64`. Nothing in it is left that could end a line or steer a terminal.
QByteArray jsonLine(const LogRecord &record);

class JsonSink final : public Sink
{
public:
    /// @p fd stays the caller's; see LineWriter about SIGPIPE.
    explicit JsonSink(int fd)
        : m_writer(fd)
    {
    }

    [[nodiscard]] bool write(const LogRecord &record) override
    {
        return m_writer.write(jsonLine(record));
    }

private:
    LineWriter m_writer;
};

} // namespace dtlsd
