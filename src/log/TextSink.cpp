// SPDX-License-Identifier: Apache-2.0
#include "log/TextSink.h"

#include "log/Timestamp.h"

#include <QByteArrayView>

#include <algorithm>

namespace dtlsd {

namespace {

/// The colours of Qt's DTLS server example (crimson, dark orange, dark blue, and dark green for
/// datagrams), in shades of the 256-colour palette that are readable on black and on white.
QByteArrayView colourOf(const LogRecord &record)
{
    if (QByteArrayView(record.event) == "datagram-received")
        return "\x1b[38;5;28m";
    switch (record.priority) {
    case Priority::Error:
        return "\x1b[38;5;161m";
    case Priority::Warning:
        return "\x1b[38;5;208m";
    case Priority::Notice:
    case Priority::Info:
        return "\x1b[38;5;32m";
    case Priority::Debug:
        break;
    }
    return {};
}

/// A message is one line of printable text already. If one were not, this is the last place to
/// stop a forged line.
QByteArray onOneLine(QByteArray message)
{
    const auto isControl = [](char byte) {
        const auto value = static_cast<uchar>(byte);
        return value < 0x20 || value == 0x7f;
    };
    if (std::any_of(message.cbegin(), message.cend(), isControl))
        std::replace_if(message.begin(), message.end(), isControl, ' ');
    return message;
}

} // namespace

QByteArray textLine(const LogRecord &record, Colour colour)
{
    const QByteArrayView start = colour == Colour::ByEvent ? colourOf(record) : QByteArrayView();
    QByteArray line = humanTimestamp(record.time) + ' ';
    line += start;
    line += QByteArray(nameIn(priorityNames, record.priority).data()).leftJustified(8);
    line += onOneLine(record.message);
    line += start.isEmpty() ? "\n" : "\x1b[0m\n";
    return line;
}

} // namespace dtlsd
