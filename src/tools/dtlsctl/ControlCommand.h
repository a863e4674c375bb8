// SPDX-License-Identifier: Apache-2.0
//
// ControlCommand: a command for dtlsd. It sends the request, and prints the answer for people or,
// with --json, unchanged. It prints the sessions as they come, in blocks: there may be millions.
#pragma once

#include "tools/dtlsctl/Arguments.h"
#include "tools/dtlsctl/ControlClient.h"
#include "tools/dtlsctl/Failure.h"
#include "tools/dtlsctl/Report.h"
#include "tools/dtlsctl/Terminal.h"

#include <QJsonObject>
#include <QList>

#include <optional>

namespace dtlsd {

class ControlCommand
{
public:
    explicit ControlCommand(Arguments arguments)
        : m_arguments(std::move(arguments))
        , m_client(m_arguments.socket)
    {
    }

    /// With --watch it repeats until a failure, or until a signal ends the process.
    [[nodiscard]] std::optional<Failure> run();

private:
    using Command = Arguments::Command;

    std::optional<Failure> runOnce();
    std::optional<Failure> readInput();
    [[nodiscard]] QJsonObject question() const;
    void insertWhom(QJsonObject &question) const;
    [[nodiscard]] bool redraws() const { return m_arguments.watch && m_terminal.isOne; }
    [[nodiscard]] int limit() const;
    std::optional<Failure> takeLine(const ControlClient::Line &line);
    std::optional<Failure> printRows();
    std::optional<Failure> printSessions(const QJsonObject &last);
    [[nodiscard]] std::optional<Failure> checkSessions(const QJsonObject &last) const;
    std::optional<Failure> printAnswer(const QJsonObject &last);
    std::optional<Failure> printStatus(const QJsonObject &last);
    std::optional<Failure> printMessage(const QJsonObject &last) const;
    [[nodiscard]] std::optional<Failure> printClosed(const QJsonObject &last) const;
    [[nodiscard]] std::optional<Failure> printSent(const QJsonObject &last) const;
    [[nodiscard]] std::optional<Failure> printMetrics(const QJsonObject &last) const;
    std::optional<Failure> printBlock(const TextBlock &block);

    const Arguments m_arguments;
    const ControlClient m_client;
    QByteArray m_payload; // of `send`
    Terminal m_terminal;  // as it was when the command was sent
    SessionsTable m_table;
    QList<SessionAnswer> m_sessions; // not printed yet
    qint64 m_sessionLines = 0;
    bool m_hasPrinted = false;
};

} // namespace dtlsd
