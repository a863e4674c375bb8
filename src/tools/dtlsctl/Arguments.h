// SPDX-License-Identifier: Apache-2.0
//
// Arguments: the command line of dtlsctl. Names are bytes: an identity need not be UTF-8.
#pragma once

#include "tools/dtlsctl/KeyImport.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <optional>
#include <variant>

namespace dtlsd {

struct Arguments
{
    enum class Command {
        Status,
        Sessions,
        Close,
        CloseIdentity,
        Send,
        Reload,
        Restart,
        Metrics,
        Health,
        KeyNew,
        KeyImport
    };

    /// What to print, where, and the exit status to end with.
    struct Stop
    {
        QString message;
        int status = 0;
    };

    Command command = Command::Status;
    QString socket;
    bool json = false;
    bool watch = false;
    KeyFormat format = KeyFormat::Mosquitto;
    std::optional<QByteArray> identity = {}; ///< of `sessions` and `send`
    int limit = 0;                           ///< of `sessions`; 0: not given
    QByteArray name;                         ///< the command's SESSION, NAME or FILE
    QByteArray data;                         ///< of `send`; `-`: standard input

    /// The command as it is written, and as the control socket has it.
    [[nodiscard]] QLatin1StringView words() const;

    /// @p arguments as main() gets them.
    static std::variant<Arguments, Stop> parse(const QList<QByteArray> &arguments);
};

} // namespace dtlsd
