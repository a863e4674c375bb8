// SPDX-License-Identifier: Apache-2.0
//
// CommandLine: what the operator asked dtlsd to do.
#pragma once

#include "config/Config.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace dtlsd {

struct CommandLine
{
    enum class Action {
        Run,
        Check,      ///< report every error of the configuration, and no more
        ShowConfig, ///< print the effective configuration
        Print,      ///< message to standard output: --help, --version
        Reject      ///< message to standard error: wrong usage
    };

    Action action = Action::Run;
    QString configFile; ///< empty: the default one, if it is there
    std::optional<LogTarget> logTarget;
    QString message;

    static CommandLine parse(const QStringList &arguments);

    /// Reads the configuration as it is now in its file, and with what was asked for here. To run,
    /// a log that would go to standard output has to find that open.
    [[nodiscard]] ConfigResult loadConfig() const;
};

} // namespace dtlsd
