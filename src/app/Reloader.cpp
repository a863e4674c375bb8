// SPDX-License-Identifier: Apache-2.0
#include "app/Reloader.h"

#include <utility>

namespace dtlsd {

Reloader::Reloader(ConfigSource source, Config &inForce, WorkerPool &workers)
    : m_source(std::move(source))
    , m_inForce(inForce)
    , m_workers(workers)
{
}

ReloadOutcome Reloader::reload()
{
    auto [config, errors, warnings, files, missing] = m_source();
    if (!errors.isEmpty())
        return ReloadRejected{errors.constFirst(), errors.size() - 1};
    if (!missing.isEmpty() && !m_workers.hasPassedSockets())
        return ReloadRejected{missing.constFirst(), missing.size() - 1};
    if (const auto workers = m_workers.states(); !workers) // one that hangs would never apply it
        return ReloadRejected{{config.file, 0, workers.error().message}};
    const auto listen = m_inForce.server.listen;
    if (m_workers.hasPassedSockets() && std::exchange(config.server.listen, listen) != listen)
        warnings += {config.file, 0,
                     QStringLiteral("[server] listen: is ignored, as systemd has passed the "
                                    "sockets; the socket unit says where they are")};
    if (const Result<> bound = m_workers.bind(config.server.listen); !bound)
        return ReloadRejected{
            {config.file, 0, QStringLiteral("[server] listen: ") + bound.error().message}};

    for (const QString &key : keepUntilRestart(m_inForce, config))
        warnings += {config.file, 0, key + QStringLiteral(": takes effect after a restart")};
    const std::int64_t revoked = m_workers.apply(config);
    m_workers.serve(config.server.listen);
    const auto change = ConfigChange::between(m_inForce, config);
    m_inForce = std::move(config);
    return Reloaded{m_inForce.file, change, revoked, warnings};
}

} // namespace dtlsd
