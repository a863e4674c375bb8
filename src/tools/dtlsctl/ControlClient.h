// SPDX-License-Identifier: Apache-2.0
//
// ControlClient: asks dtlsd through its control socket. A question is a JSON object on a line; the
// answer is such lines too, the last of which has "ok", and the server closes the connection.
#pragma once

#include "tools/dtlsctl/Failure.h"

#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include <chrono>
#include <functional>
#include <optional>
#include <variant>

namespace dtlsd {

class ControlClient
{
public:
    struct Line
    {
        QByteArray text; ///< as it came, without its line feed
        QJsonObject object;
    };
    /// Returns what keeps the caller from going on; empty = nothing.
    using LineHandler = std::function<std::optional<Failure>(const Line &)>;

    /// @p patience: how long the server may take for its next byte.
    explicit ControlClient(QString socket,
                           std::chrono::milliseconds patience = std::chrono::seconds(30))
        : m_socket(std::move(socket))
        , m_patience(patience)
    {
    }

    /// Blocks. @p onLine gets each line but the last as it comes, so that an answer may be larger
    /// than memory; the last one is returned, whether it says yes or no.
    [[nodiscard]] std::variant<Line, Failure> ask(const QJsonObject &question,
                                                  const LineHandler &onLine) const;

    /// That the server said something else than dtlsd does.
    [[nodiscard]] Failure noAnswer(const QString &what) const;
    /// What a last line with "ok": false says.
    [[nodiscard]] Failure refusal(const QJsonObject &last) const;

private:
    QString m_socket;
    std::chrono::milliseconds m_patience;
};

} // namespace dtlsd
