// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/ControlCommand.h"

#include "core/Console.h"
#include "core/Escape.h"
#include "core/Json.h"
#include "core/Quantity.h"
#include "tools/dtlsctl/Report.h"

#include <QJsonArray>

#include <chrono>
#include <cstdio>
#include <thread>

namespace dtlsd {

std::optional<Failure> ControlCommand::run()
{
    std::optional<Failure> failure = runOnce();
    while (m_arguments.watch && !failure) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        failure = runOnce();
    }
    return failure;
}

std::optional<Failure> ControlCommand::runOnce()
{
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

QJsonObject ControlCommand::question() const
{
    QJsonObject question{{QStringLiteral("command"), m_arguments.words()}};
    if (m_arguments.command == Command::Close)
        question.insert(QStringLiteral("session"), QString::fromLatin1(m_arguments.name));
    else if (m_arguments.command == Command::CloseIdentity)
        insertBytes(question, QStringLiteral("identity"), m_arguments.name);
    return question;
}

std::optional<Failure> ControlCommand::takeLine(const ControlClient::Line &line)
{
    if (m_arguments.command != Command::Sessions)
        return m_client.noAnswer(QStringLiteral("a line says neither yes nor no"));
    ++m_sessionLines;
    if (m_arguments.json)
        return print(line.text + '\n');
    const Result<SessionAnswer> session = SessionAnswer::parse(line.object);
    if (!session)
        return m_client.noAnswer(session.error().message);
    m_sessions += session.value();
    return std::nullopt;
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
    case Command::Sessions: {
        const Terminal terminal = Terminal::ofStandardOutput();
        return printBlock(sessionsReport(m_sessions, terminal.columns), terminal);
    }
    case Command::Close:
        return print("Session " + m_arguments.name + " is closed.\n");
    case Command::CloseIdentity:
        return printClosed(last);
    case Command::Reload:
        return printReload(last);
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
    return printBlock(statusReport(status.value()), Terminal::ofStandardOutput());
}

std::optional<Failure> ControlCommand::printClosed(const QJsonObject &last) const
{
    const QJsonValue closed = last.value(QStringLiteral("closed"));
    if (!closed.isDouble())
        return m_client.noAnswer(QStringLiteral("it lacks closed"));
    const QString sentence =
        QStringLiteral("%1 of %2 closed.\n")
            .arg(counted(closed.toInteger(), "session"), escaped(m_arguments.name));
    return print(sentence.toUtf8());
}

std::optional<Failure> ControlCommand::printReload(const QJsonObject &last) const
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

std::optional<Failure> ControlCommand::printBlock(const TextBlock &block, const Terminal &terminal)
{
    if (m_arguments.watch && terminal.isOne)
        return printEncoded(terminal.redrawn(block));
    const QByteArray gap = m_hasPrinted ? "\n" : "";
    m_hasPrinted = true;
    return printEncoded(gap + terminal.printed(block));
}

} // namespace dtlsd
