// SPDX-License-Identifier: Apache-2.0
//
// ServerProcess: a server that is started for a measurement and stopped behind it, by its id. It
// does not outlive this process, however that ends. What it says on standard output is dropped.
#pragma once

#include "bench/dtls-bench/Plan.h"
#include "core/Result.h"

#include <QProcess>
#include <QString>

namespace dtlsd::bench {

class ServerProcess
{
public:
    ServerProcess();
    ServerProcess(const ServerProcess &) = delete;
    ServerProcess &operator=(const ServerProcess &) = delete;
    ~ServerProcess();

    /// Runs @p command, in which `{port}` becomes a free port of 127.0.0.1, and waits until a
    /// session opens there. No shell is between. It fails when that takes too long.
    [[nodiscard]] Result<Target> start(const QString &command, const Plan &plan);

private:
    QProcess m_process;
};

} // namespace dtlsd::bench
