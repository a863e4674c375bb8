// SPDX-License-Identifier: Apache-2.0
#include "app/Reloader.h"

#include <utility>

namespace dtlsd {

Reloader::Reloader(Owner owner, const Config &inForce, WorkerPool &workers)
    : m_owner(std::move(owner))
    , m_inForce(inForce)
    , m_workers(workers)
{
}

void Reloader::reload(Hear then)
{
    m_waiting.push_back(std::move(then));
    if (m_isStopped)
        stop();
    else if (!m_isUnderWay)
        begin();
}

void Reloader::stop()
{
    m_isStopped = true;
    const ReloadRejected rejected{{m_inForce.file, 0, QStringLiteral("dtlsd is stopping")}};
    for (const Hear &then : std::exchange(m_waiting, {})) {
        if (then)
            then(rejected);
    }
}

void Reloader::begin()
{
    m_isUnderWay = true;
    m_thens = std::exchange(m_waiting, {});
    m_loaded = m_owner.load();
    if (!m_loaded.errors.isEmpty())
        return conclude(ReloadRejected{m_loaded.errors.constFirst(), m_loaded.errors.size() - 1});
    const QList<ConfigMessage> &missing = m_loaded.missing;
    if (!missing.isEmpty() && !m_workers.listeners().arePassed())
        return conclude(ReloadRejected{missing.constFirst(), missing.size() - 1});
    m_workers.states([this](const Result<std::vector<WorkerState>> &workers) {
        if (workers)
            bindAndApply();
        else // a worker that hangs would never apply it
            reject(workers.error().message);
    });
}

void Reloader::bindAndApply()
{
    Config &config = m_loaded.config;
    const auto listen = m_inForce.server.listen;
    if (m_workers.listeners().arePassed() && std::exchange(config.server.listen, listen) != listen)
        m_loaded.warnings +=
            {config.file, 0,
             QStringLiteral("[server] listen: is ignored, as systemd has passed the sockets; the "
                            "socket unit says where they are")};
    if (const Result<> forward = m_workers.checkForward(config); !forward)
        return reject(forward.error().message);
    if (const Result<> bound = m_workers.bind(config.server.listen); !bound)
        return reject(QStringLiteral("[server] listen: ") + bound.error().message);

    for (const QString &key : keepUntilRestart(m_inForce, config))
        m_loaded.warnings +=
            {config.file, 0, key + QStringLiteral(": takes effect after a restart")};
    m_workers.apply(config, [this](std::int64_t revoked) {
        const auto finish = [this, revoked] {
            const auto change = ConfigChange::between(m_inForce, m_loaded.config);
            m_owner.putInForce(std::move(m_loaded.config));
            conclude(Reloaded{m_inForce.file, change, revoked, m_loaded.warnings});
        };
        if (m_isStopped) // it leaves every address anyway
            finish();
        else
            m_workers.serve(m_loaded.config.server.listen, finish);
    });
}

void Reloader::reject(const QString &problem)
{
    conclude(ReloadRejected{{m_loaded.config.file, 0, problem}});
}

void Reloader::conclude(const ReloadOutcome &outcome)
{
    m_loaded = {};
    m_owner.concluded(outcome);
    for (const Hear &then : std::exchange(m_thens, {})) {
        if (then)
            then(outcome);
    }
    m_isUnderWay = false;
    if (!m_waiting.empty())
        begin();
}

} // namespace dtlsd
