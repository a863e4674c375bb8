// SPDX-License-Identifier: Apache-2.0
//
// TextSink: writes records as lines for people: time, level, message.
#pragma once

#include "log/LineSink.h"

#include <QByteArray>

namespace dtlsd {

enum class Colour { Never, ByEvent };

/// `2026-01-02 03:04:05.123Z warning message`, with its line feed. It begins with the time, so no
/// peer can put a `<3>` where systemd looks for a priority (sd-daemon(3)).
QByteArray textLine(const LogRecord &record, Colour colour);

class TextSink final : public LineSink
{
public:
    TextSink(int fd, Colour colour)
        : LineSink(fd)
        , m_colour(colour)
    {
    }

private:
    [[nodiscard]] QByteArray line(const LogRecord &record) const override
    {
        return textLine(record, m_colour);
    }

    const Colour m_colour;
};

} // namespace dtlsd
