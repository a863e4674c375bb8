// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Report.h"

#include "core/Escape.h"
#include "tools/dtlsctl/Units.h"

#include <algorithm>
#include <array>

namespace dtlsd {

namespace {

struct Column
{
    QLatin1StringView heading;
    bool right = false; ///< right-aligned: a quantity
};

// The columns that matter most come first, where a narrow terminal still shows them.
constexpr std::array columns{
    Column{QLatin1StringView("SESSION")},       Column{QLatin1StringView("IDENTITY")},
    Column{QLatin1StringView("PEER")},          Column{QLatin1StringView("AGE"), true},
    Column{QLatin1StringView("IDLE"), true},    Column{QLatin1StringView("RECEIVED"), true},
    Column{QLatin1StringView("BYTES"), true},   Column{QLatin1StringView("SENT"), true},
    Column{QLatin1StringView("BYTES"), true},   Column{QLatin1StringView("BAD"), true},
    Column{QLatin1StringView("CIPHER")},        Column{QLatin1StringView("LOCAL")},
    Column{QLatin1StringView("SERVICE")},       Column{QLatin1StringView("WORKER"), true},
    Column{QLatin1StringView("CONNECTION ID")},
};
using Row = std::array<QString, columns.size()>;

constexpr qsizetype textLimit = 256;    // characters
constexpr qsizetype identityLimit = 32; // characters on a terminal: one device must not fill it

QString orDash(const QString &text)
{
    return text.isEmpty() ? QStringLiteral("-") : text;
}

QString identityText(const SessionAnswer &session, bool onTerminal)
{
    const QByteArray &identity = session.identity;
    if (identity.isEmpty()) // the empty identity, written as in its section, or none yet
        return session.state == u"established" ? QStringLiteral("\"\"") : QStringLiteral("-");
    return onTerminal ? escaped(identity, identityLimit) : escaped(identity);
}

Row headings()
{
    Row row;
    std::transform(columns.begin(), columns.end(), row.begin(),
                   [](const Column &column) { return QString(column.heading); });
    return row;
}

Row cells(const SessionAnswer &session, bool onTerminal)
{
    const bool established = session.state == u"established";
    return {safe(session.session, textLimit),
            identityText(session, onTerminal),
            safe(session.peer, textLimit),
            spanText(session.ageSeconds),
            spanText(session.idleSeconds),
            QString::number(session.traffic.datagramsReceived),
            bytesText(session.traffic.bytesReceived),
            QString::number(session.traffic.datagramsSent),
            bytesText(session.traffic.bytesSent),
            QString::number(session.badRecords),
            established ? orDash(safe(session.cipher, textLimit)) : safe(session.state, textLimit),
            safe(session.local, textLimit),
            orDash(safe(session.serviceSource, textLimit)),
            QString::number(session.worker),
            orDash(safe(session.connectionId, textLimit))};
}

void widen(QList<int> &widths, const Row &row)
{
    widths.resize(std::ssize(row));
    for (std::size_t i = 0; i < row.size(); ++i) {
        int &width = widths[static_cast<qsizetype>(i)];
        width = std::max(width, displayWidth(row[i]));
    }
}

QString laidOut(const Row &row, const QList<int> &widths)
{
    QString line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const int width = widths[static_cast<qsizetype>(i)];
        const QString filler(width - displayWidth(row[i]), u' ');
        line += columns[i].right ? filler + row[i] : row[i] + filler;
        line += QStringLiteral("  ");
    }
    while (line.endsWith(u' '))
        line.chop(1);
    return line;
}

} // namespace

TextBlock SessionsTable::next(const QList<SessionAnswer> &sessions)
{
    const bool isFirst = !isBegun();
    QList<Row> rows;
    rows.reserve(sessions.size() + 1);
    if (isFirst)
        rows += headings();
    for (const SessionAnswer &session : sessions)
        rows += cells(session, m_terminalColumns > 0);
    for (const Row &row : rows)
        widen(m_widths, row);
    TextBlock block;
    block.reserve(rows.size());
    for (const Row &row : rows) {
        const bool isHeading = isFirst && block.isEmpty();
        block += {cut(laidOut(row, m_widths), m_terminalColumns),
                  isHeading ? TextLine::Tone::Heading : TextLine::Tone::Plain};
    }
    return block;
}

TextBlock sessionsReport(const QList<SessionAnswer> &sessions, int terminalColumns)
{
    if (sessions.isEmpty())
        return {{QStringLiteral("No sessions."), TextLine::Tone::Plain}};
    return SessionsTable(terminalColumns).next(sessions);
}

} // namespace dtlsd
