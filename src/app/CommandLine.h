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
        Check,      ///< report every error of the configuration, do nothing else
        ShowConfig, ///< print the effective configuration
        Print,      ///< message to standard output: --help, --version
        Reject      ///< message to standard error: wrong usage
    };

    Action action = Action::Run;
    QString configFile; ///< empty: the default file, if it exists
    std::optional<LogTarget> logTarget;
    QString message;

    static CommandLine parse(const QStringList &arguments);

    /// Reads the configuration file anew and applies the options of this command line. For Run, a
    /// log that would go to a standard output that is closed is an error.
    [[nodiscard]] ConfigResult loadConfig() const;
};

} // namespace dtlsd
