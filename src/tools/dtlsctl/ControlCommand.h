// SPDX-License-Identifier: Apache-2.0
//
// ControlCommand: a command for dtlsd. It sends the request, and prints the answer for people or,
// with --json, unchanged.
#pragma once

#include "tools/dtlsctl/Answers.h"
#include "tools/dtlsctl/Arguments.h"
#include "tools/dtlsctl/ControlClient.h"
#include "tools/dtlsctl/Failure.h"
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
    [[nodiscard]] QJsonObject question() const;
    std::optional<Failure> takeLine(const ControlClient::Line &line);
    [[nodiscard]] std::optional<Failure> checkSessions(const QJsonObject &last) const;
    std::optional<Failure> printAnswer(const QJsonObject &last);
    std::optional<Failure> printStatus(const QJsonObject &last);
    std::optional<Failure> printReload(const QJsonObject &last) const;
    [[nodiscard]] std::optional<Failure> printClosed(const QJsonObject &last) const;
    [[nodiscard]] std::optional<Failure> printMetrics(const QJsonObject &last) const;
    std::optional<Failure> printBlock(const TextBlock &block, const Terminal &terminal);

    const Arguments m_arguments;
    const ControlClient m_client;
    QList<SessionAnswer> m_sessions;
    qint64 m_sessionLines = 0;
    bool m_hasPrinted = false;
};

} // namespace dtlsd
