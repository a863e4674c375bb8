// SPDX-License-Identifier: Apache-2.0
//
// TextSink: records as lines that a person reads: time, level, message.
#pragma once

#include "log/LineWriter.h"
#include "log/Sink.h"

#include <QByteArray>

namespace dtlsd {

enum class Colour { Never, ByEvent };

/// `2026-01-02 03:04:05.123Z warning message`, with its line feed. It begins with the time, so that
/// nobody's `<3>` can stand where systemd looks for a priority.
QByteArray textLine(const LogRecord &record, Colour colour);

class TextSink final : public Sink
{
public:
    /// @p fd stays the caller's; see LineWriter about SIGPIPE.
    TextSink(int fd, Colour colour)
        : m_writer(fd)
        , m_colour(colour)
    {
    }

    [[nodiscard]] bool write(const LogRecord &record) override
    {
        return m_writer.write(textLine(record, m_colour));
    }

private:
    LineWriter m_writer;
    const Colour m_colour;
};

} // namespace dtlsd
