// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/ControlCommand.h"

#include "core/Console.h"
#include "core/Escape.h"
#include "core/Json.h"
#include "core/Quantity.h"
#include "dtls/SessionQuery.h"
#include "tools/dtlsctl/StandardInput.h"
#include "wire/Record.h"

#include <QJsonArray>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

namespace dtlsd {

namespace {

constexpr qsizetype rowsAtOnce = 1000;

} // namespace

std::optional<Failure> ControlCommand::run()
{
    if (auto failure = readInput())
        return failure;
    std::optional<Failure> failure = runOnce();
    while (m_arguments.watch && !failure) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        failure = runOnce();
    }
    return failure;
}

std::optional<Failure> ControlCommand::runOnce()
{
    m_terminal = Terminal::ofStandardOutput();
    m_table = SessionsTable(m_terminal.columns);
    m_sessions.clear();
    m_sessionLines = 0;
    const auto answer = m_client.ask(
        question(), [this](const ControlClient::Line &line) { return takeLine(line); });
    if (const auto *failure = std::get_if<Failure>(&answer))
        return *failure;
    const auto &last = std::get<ControlClient::Line>(answer);
    const bool isSessions = m_arguments.command == Command::Sessions;
    if (m_arguments.json && !isSessions) {
        if (auto failure = print(last.text + '\n'))
            return failure;
    }
    if (!last.object.value(QStringLiteral("ok")).toBool())
        return m_client.refusal(last.object);
    if (auto failure = isSessions ? checkSessions(last.object) : std::nullopt)
        return failure;
    return m_arguments.json ? std::nullopt : printAnswer(last.object);
}

/// What `send` sends: DATA, or standard input.
std::optional<Failure> ControlCommand::readInput()
{
    m_payload = m_arguments.data;
    if (m_arguments.command != Command::Send || m_payload != "-")
        return std::nullopt;
    const Result<QByteArray> input = readStandardInput(Record::maximumPlaintext + 1);
    const QString problem = QStringLiteral("standard input %1");
    if (!input)
        return Failure{problem.arg(input.error().message), EX_NOINPUT};
    m_payload = input.value();
    if (!m_payload.isEmpty() && m_payload.size() <= Record::maximumPlaintext)
        return std::nullopt;
    const QString size =
        m_payload.isEmpty()
            ? QStringLiteral("is empty")
            : QStringLiteral("has more than %1 bytes").arg(Record::maximumPlaintext);
    return Failure{problem.arg(size) +
                       QStringLiteral("; 1 to %1 bytes are accepted").arg(Record::maximumPlaintext),
                   EX_DATAERR};
}

QJsonObject ControlCommand::question() const
{
    QJsonObject question{{QStringLiteral("command"), m_arguments.words()}};
    insertWhom(question);
    if (m_arguments.command == Command::Send) // as text, control characters would be six bytes each
        question.insert(QStringLiteral("data_base64"), QString::fromLatin1(m_payload.toBase64()));
    if (const int most = limit(); most > 0)
        question.insert(QStringLiteral("limit"), most);
    return question;
}

void ControlCommand::insertWhom(QJsonObject &question) const
{
    const QString identity = QStringLiteral("identity");
    if (m_arguments.identity)
        insertBytes(question, identity, *m_arguments.identity);
    else if (m_arguments.command == Command::CloseIdentity)
        insertBytes(question, identity, m_arguments.name);
    else if (m_arguments.command == Command::Close || m_arguments.command == Command::Send)
        question.insert(QStringLiteral("session"), QString::fromLatin1(m_arguments.name));
}

/// How many sessions to ask for; 0: all. A person at a terminal wants no million lines.
int ControlCommand::limit() const
{
    const bool isForATerminal =
        m_arguments.command == Command::Sessions && !m_arguments.json && m_terminal.isOne;
    if (m_arguments.limit > 0 || !isForATerminal)
        return m_arguments.limit;
    return redraws() && m_terminal.rows > 0 ? std::min(m_terminal.rows, SessionQuery::maximumLimit)
                                            : SessionQuery::maximumLimit;
}

std::optional<Failure> ControlCommand::takeLine(const ControlClient::Line &line)
{
    if (m_arguments.command != Command::Sessions)
        return m_client.noAnswer(QStringLiteral("a line says neither yes nor no"));
    const int most = limit();
    if (++m_sessionLines > most && most > 0)
        return m_client.noAnswer(QStringLiteral("it has more sessions than were asked for"));
    if (m_arguments.json)
        return print(line.text + '\n');
    const Result<SessionAnswer> session = SessionAnswer::parse(line.object);
    if (!session)
        return m_client.noAnswer(session.error().message);
    m_sessions += session.value();
    return m_sessions.size() < rowsAtOnce || redraws() ? std::nullopt : printRows();
}

/// The rows that have come since the block before.
std::optional<Failure> ControlCommand::printRows()
{
    const bool isBegun = m_table.isBegun();
    const TextBlock block = m_table.next(std::exchange(m_sessions, {}));
    return isBegun ? printEncoded(m_terminal.printed(block)) : printBlock(block);
}

std::optional<Failure> ControlCommand::printSessions(const QJsonObject &last)
{
    if (m_sessionLines == 0)
        return printBlock(sessionsReport({}, m_terminal.columns));
    const qint64 total = last.value(QStringLiteral("total")).toInteger();
    const qint64 further = std::max<qint64>(total - m_sessionLines, 0);
    if (redraws())
        return printEncoded(m_terminal.redrawn(m_table.next(m_sessions), further));
    if (auto failure = m_sessions.isEmpty() ? std::nullopt : printRows())
        return failure;
    if (further == 0 || !m_terminal.isOne)
        return std::nullopt;
    const QString hint =
        QStringLiteral("… %1 more; see --limit, --identity and --json").arg(further);
    return printEncoded(m_terminal.printed({{cut(hint, m_terminal.columns)}}));
}

std::optional<Failure> ControlCommand::checkSessions(const QJsonObject &last) const
{
    const QJsonValue number = last.value(QStringLiteral("sessions"));
    if (number.isDouble() && number.toInteger() == m_sessionLines)
        return std::nullopt;
    return m_client.noAnswer(QStringLiteral("its sessions are not as many as it says"));
}

std::optional<Failure> ControlCommand::printAnswer(const QJsonObject &last)
{
    switch (m_arguments.command) {
    case Command::Status:
        return printStatus(last);
    case Command::Sessions:
        return printSessions(last);
    case Command::Close:
        return print("Session " + m_arguments.name + " is closed.\n");
    case Command::CloseIdentity:
        return printClosed(last);
    case Command::Send:
        return printSent(last);
    case Command::Reload:
    case Command::Restart:
        return printMessage(last);
    case Command::Metrics:
        return printMetrics(last);
    default:
        return print("healthy\n");
    }
}

std::optional<Failure> ControlCommand::printStatus(const QJsonObject &last)
{
    const Result<StatusAnswer> status = StatusAnswer::parse(last);
    if (!status)
        return m_client.noAnswer(status.error().message);
    return printBlock(statusReport(status.value()));
}

std::optional<Failure> ControlCommand::printClosed(const QJsonObject &last) const
{
    const QJsonValue closed = last.value(QStringLiteral("closed"));
    if (!closed.isDouble())
        return m_client.noAnswer(QStringLiteral("it lacks closed"));
    const QString sentence =
        QStringLiteral("%1 of %2 closed.\n")
            .arg(counted(closed.toInteger(), "session"), escapedName(m_arguments.name));
    return print(sentence.toUtf8());
}

std::optional<Failure> ControlCommand::printSent(const QJsonObject &last) const
{
    const QJsonValue sent = last.value(QStringLiteral("sent"));
    if (!sent.isDouble())
        return m_client.noAnswer(QStringLiteral("it lacks sent"));
    if (!m_arguments.identity)
        return print("Sent to session " + m_arguments.name + ".\n");
    const QString sentence =
        QStringLiteral("Sent to %1 of %2.\n")
            .arg(counted(sent.toInteger(), "session"), escapedName(*m_arguments.identity));
    return print(sentence.toUtf8());
}

std::optional<Failure> ControlCommand::printMessage(const QJsonObject &last) const
{
    const QJsonValue message = last.value(QStringLiteral("message"));
    if (!message.isString())
        return m_client.noAnswer(QStringLiteral("it lacks message"));
    for (const auto &warning : last.value(QStringLiteral("warnings")).toArray())
        say(stderr, escaped(warning.toString().toUtf8(), 4096) + u'\n');
    return print(escaped(message.toString().toUtf8(), 4096).toUtf8() + '\n');
}

std::optional<Failure> ControlCommand::printMetrics(const QJsonObject &last) const
{
    const QJsonValue metrics = last.value(QStringLiteral("metrics"));
    if (!metrics.isString())
        return m_client.noAnswer(QStringLiteral("it lacks metrics"));
    return print(metrics.toString().toUtf8());
}

std::optional<Failure> ControlCommand::printBlock(const TextBlock &block)
{
    if (redraws())
        return printEncoded(m_terminal.redrawn(block));
    const QByteArray gap = m_hasPrinted ? "\n" : "";
    m_hasPrinted = true;
    return printEncoded(gap + m_terminal.printed(block));
}

} // namespace dtlsd
