// SPDX-License-Identifier: Apache-2.0
//
// Arguments: the command line of dtls-send, with the key read from the file or variable it names.
// No option takes a key: every user of the machine can read arguments.
#pragma once

#include "tools/dtls-send/Conversation.h"

#include <QString>
#include <QStringList>

#include <variant>

namespace dtlsd {

struct Arguments
{
    /// What to print, where, and the exit status to end with.
    struct Stop
    {
        QString message;
        int status = 0;
    };

    static std::variant<Conversation::Options, Stop> parse(const QStringList &arguments);
};

} // namespace dtlsd
