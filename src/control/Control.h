// SPDX-License-Identifier: Apache-2.0
//
// Control: answers the requests of the operator's tools at the control socket. A request is a JSON
// object with a `command`; an answer is JSON objects, one a line, the last of which has `ok`. If
// that is false, `code` is for programs and `error` for people.
//
//   {"command": "status" | "reload" | "restart" | "metrics" | "health"}
//   {"command": "sessions"}, with "limit": 20 only those that were last active, with an identity
//   only those of that identity; the last line has "total" besides "sessions" if there is a limit
//   {"command": "close", "session": "0123456789abcdef"}
//   {"command": "close-identity", "identity": "sensor-17"}
//   {"command": "send", "session": "0123456789abcdef", "data": "reboot"}, or with an identity to
//   each of its sessions
//
// Bytes that are not UTF-8 are "identity_base64" and "data_base64".
#pragma once

#include "control/DaemonState.h"
#include "control/Reply.h"
#include "core/Result.h"
#include "dtls/SessionQuery.h"
#include "events/DaemonEvents.h"

#include <QByteArray>
#include <QJsonObject>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace dtlsd {

/// The daemon as Control uses it. Each call answers now or later, in the same thread, unless the
/// daemon ends first. An error means that a worker does not answer.
class Controllable
{
public:
    using SessionPicker = std::function<bool(const SessionInfo &)>;

    struct Health
    {
        int workers = 0;
        int sockets = 0;
        ConnectionIdUse connectionIds = ConnectionIdUse::Off;
        bool keepsSessions = false; ///< over a restart
    };

    struct ListedSession
    {
        SessionReport report;
        std::size_t worker = 0; ///< its number, from 0
    };

    /// The sessions that a query is about, a few at a time.
    class Sessions
    {
    public:
        struct Part
        {
            std::vector<ListedSession> sessions; ///< possibly none
            std::int64_t total = 0;              ///< in the last part: also beyond a limit
            bool isLast = false;
        };

        virtual ~Sessions() = default;

        /// @p then gets the next part. Not before the part before has come.
        virtual void next(Then<Result<Part>> then) = 0;
    };

    virtual ~Controllable() = default;

    virtual void state(Then<Result<DaemonState>> then) = 0;
    virtual std::shared_ptr<Sessions> sessions(const SessionQuery &query) = 0;
    /// Closes the sessions that @p isMeant picks (called in any thread); @p then gets their number.
    virtual void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) = 0;
    /// Sends @p payload to each open session that @p isMeant picks (called in any thread); @p then
    /// gets what became of each.
    virtual void send(const SessionPicker &isMeant, const QByteArray &payload,
                      Then<std::vector<Delivery>> then) = 0;
    virtual void reload(Then<const ReloadOutcome &> then) = 0;
    /// Ends this process, and leaves its sessions to the next one. Returns what happens now, for
    /// the operator; the error says why sessions would be lost, and then nothing has been done.
    virtual Result<QString> restart() = 0;
    /// The error says what does not work.
    virtual void health(Then<Result<Health>> then) = 0;
};

class Control
{
public:
    /// @p daemon outlives it.
    explicit Control(Controllable &daemon)
        : m_daemon(daemon)
    {
    }

    /// Answers any @p request, valid or not, now or later.
    void answer(const QByteArray &request, const Reply &reply);

private:
    using Handler = void (Control::*)(const QJsonObject &request, const Reply &reply);

    struct Command
    {
        const char *name = nullptr;
        QList<QLatin1StringView> members; ///< accepted besides `command`
        Handler handler = nullptr;
    };

    static const std::vector<Command> &commands();

    void status(const QJsonObject &request, const Reply &reply);
    void sessions(const QJsonObject &request, const Reply &reply);
    void close(const QJsonObject &request, const Reply &reply);
    void closeIdentity(const QJsonObject &request, const Reply &reply);
    void send(const QJsonObject &request, const Reply &reply);
    void reload(const QJsonObject &request, const Reply &reply);
    void restart(const QJsonObject &request, const Reply &reply);
    void metrics(const QJsonObject &request, const Reply &reply);
    void health(const QJsonObject &request, const Reply &reply);
    void closeThose(const Controllable::SessionPicker &isMeant, const QString &whenNone,
                    const Reply &reply);

    Controllable &m_daemon;
};

} // namespace dtlsd
