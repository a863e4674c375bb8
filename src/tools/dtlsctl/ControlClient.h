// SPDX-License-Identifier: Apache-2.0
//
// ControlClient: sends a request to dtlsd's control socket. A request is a JSON object on one line;
// the answer is JSON objects, one a line, the last of which has "ok". Then the server closes.
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
        QByteArray text; ///< unchanged, without the line feed
        QJsonObject object;
    };
    /// Returns a failure to stop reading; nullopt = go on.
    using LineHandler = std::function<std::optional<Failure>(const Line &)>;

    /// @p patience: how long the server may take for its next byte.
    explicit ControlClient(QString socket,
                           std::chrono::milliseconds patience = std::chrono::seconds(30))
        : m_socket(std::move(socket))
        , m_patience(patience)
    {
    }

    /// Blocks. @p onLine gets each line but the last as it arrives, so an answer may be larger than
    /// memory. Returns the last line, whether its "ok" is true or false.
    [[nodiscard]] std::variant<Line, Failure> ask(const QJsonObject &question,
                                                  const LineHandler &onLine) const;

    /// The failure for an answer that dtlsd would not send; @p what says why.
    [[nodiscard]] Failure noAnswer(const QString &what) const;
    /// The failure for a last line with "ok": false.
    [[nodiscard]] Failure refusal(const QJsonObject &last) const;

private:
    QString m_socket;
    std::chrono::milliseconds m_patience;
};

} // namespace dtlsd
