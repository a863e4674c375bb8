// SPDX-License-Identifier: Apache-2.0
//
// Control: answers what the operator's tools ask through the control socket. A request is a JSON
// object with a `command`; an answer is JSON objects, one a line, and the last has `ok`. Where it
// is false, `code` is for programs and `error` for people.
//
//   {"command": "status" | "sessions" | "reload" | "health"}
//   {"command": "metrics", "format": "prometheus" | "openmetrics"}; the first if it is left out
//   {"command": "close", "session": "0123456789abcdef"}
//   {"command": "close-identity", "identity": "sensor-17"}, or "identity_base64" for one that is
//   not UTF-8
#pragma once

#include "app/DaemonState.h"
#include "app/Reloader.h"
#include "core/Result.h"
#include "dtls/SessionReport.h"

#include <QByteArray>
#include <QJsonObject>

#include <cstdint>
#include <functional>
#include <vector>

namespace dtlsd {

/// What can be asked of the daemon, and done to it. An error is a worker that does not answer.
class Controllable
{
public:
    using SessionPicker = std::function<bool(const SessionInfo &)>;

    struct Health
    {
        int workers = 0;
        int sockets = 0;
    };

    Controllable() = default;
    Controllable(const Controllable &) = delete;
    Controllable &operator=(const Controllable &) = delete;
    virtual ~Controllable() = default;

    [[nodiscard]] virtual Result<DaemonState> state() = 0;
    /// By worker.
    [[nodiscard]] virtual Result<std::vector<std::vector<SessionReport>>> sessions() = 0;
    /// Closes those that @p isMeant picks, and returns how many there were.
    virtual Result<std::int64_t> closeSessions(const SessionPicker &isMeant) = 0;
    virtual ReloadOutcome reload() = 0;
    /// The error says what does not work.
    [[nodiscard]] virtual Result<Health> health() = 0;
};

class Control
{
public:
    /// @p daemon outlives it.
    explicit Control(Controllable &daemon)
        : m_daemon(daemon)
    {
    }

    /// The lines that answer @p request, whatever it is.
    [[nodiscard]] QByteArray answer(const QByteArray &request);

private:
    using Handler = QByteArray (Control::*)(const QJsonObject &request);

    struct Command
    {
        const char *name = nullptr;
        QList<QLatin1StringView> members; ///< accepted beside `command`
        Handler handler = nullptr;
    };

    static const std::vector<Command> &commands();

    QByteArray status(const QJsonObject &request);
    QByteArray sessions(const QJsonObject &request);
    QByteArray close(const QJsonObject &request);
    QByteArray closeIdentity(const QJsonObject &request);
    QByteArray reload(const QJsonObject &request);
    QByteArray metrics(const QJsonObject &request);
    QByteArray health(const QJsonObject &request);
    QByteArray closeThose(const Controllable::SessionPicker &isMeant, const QString &whenNone);

    Controllable &m_daemon;
};

} // namespace dtlsd
