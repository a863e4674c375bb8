// SPDX-License-Identifier: Apache-2.0
#include "control/Control.h"

#include "control/Metrics.h"
#include "control/StateJson.h"
#include "core/Escape.h"
#include "core/Json.h"
#include "events/EventLog.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QStringList>

#include <optional>

namespace dtlsd {

namespace {

QByteArray badRequest(const QString &error)
{
    return refusalLine("bad-request", error);
}

QByteArray unavailable(const Error &error)
{
    return refusalLine("unavailable", error.message);
}

/// The wording of the log.
QString textOf(const auto &event)
{
    return QString::fromUtf8(EventLog({}).describe(event).message);
}

std::optional<QByteArray> identityIn(const QJsonObject &request)
{
    const QJsonValue text = request[u"identity"];
    const QJsonValue base64 = request[u"identity_base64"];
    if (text.isString() && base64.isUndefined())
        return text.toString().toUtf8();
    if (!text.isUndefined() || !base64.isString())
        return std::nullopt;
    const auto bytes = QByteArray::fromBase64Encoding(base64.toString().toLatin1(),
                                                      QByteArray::AbortOnBase64DecodingErrors);
    return bytes ? std::optional(*bytes) : std::nullopt;
}

/// @p sessions has one list for each worker.
QByteArray listOf(const std::vector<std::vector<SessionReport>> &sessions)
{
    QByteArray lines;
    qint64 count = 0;
    for (std::size_t worker = 0; worker < sessions.size(); ++worker) {
        for (const SessionReport &report : sessions[worker]) {
            lines += jsonLine(toJson(report, worker));
            ++count;
        }
    }
    return lines + doneLine({{QStringLiteral("sessions"), count}});
}

QByteArray lineOf(const ReloadOutcome &outcome)
{
    if (const auto *rejected = std::get_if<ReloadRejected>(&outcome))
        return refusalLine("rejected", textOf(*rejected));
    const auto &reloaded = std::get<Reloaded>(outcome);
    QJsonArray warnings;
    for (const ConfigMessage &warning : reloaded.warnings)
        warnings += warning.toString();
    return doneLine({{QStringLiteral("message"), textOf(reloaded)},
                     {QStringLiteral("revoked"), qint64{reloaded.revoked}},
                     {QStringLiteral("warnings"), warnings}});
}

} // namespace

const std::vector<Control::Command> &Control::commands()
{
    static const std::vector<Command> commands{
        {"status", {}, &Control::status},
        {"sessions", {}, &Control::sessions},
        {"close", {QLatin1StringView("session")}, &Control::close},
        {"close-identity",
         {QLatin1StringView("identity"), QLatin1StringView("identity_base64")},
         &Control::closeIdentity},
        {"reload", {}, &Control::reload},
        {"metrics", {}, &Control::metrics},
        {"health", {}, &Control::health}};
    return commands;
}

void Control::answer(const QByteArray &request, const Reply &reply)
{
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(request, &problem);
    if (problem.error != QJsonParseError::NoError)
        return reply(badRequest(QStringLiteral("byte %1: %2; a JSON object on one line is accepted")
                                    .arg(problem.offset)
                                    .arg(problem.errorString())));
    const QJsonObject object = document.object();
    const QJsonValue name = object[u"command"];
    QStringList names;
    for (const Command &command : commands()) {
        names += QLatin1String(command.name);
        if (!name.isString() || name.toString() != names.constLast())
            continue;
        for (const QString &member : object.keys()) {
            if (member != u"command" && !command.members.contains(member))
                return reply(badRequest(QStringLiteral("%1: is no member of this request")
                                            .arg(escaped(member.toUtf8()))));
        }
        return (this->*command.handler)(object, reply);
    }
    if (name.isString())
        return reply(refusalLine("unknown-command",
                                 QStringLiteral("command: %1 is unknown; %2 are accepted")
                                     .arg(escaped(name.toString().toUtf8()), names.join(u", "))));
    reply(badRequest(
        QStringLiteral("command: is missing, or no text; %1 are accepted").arg(names.join(u", "))));
}

void Control::status(const QJsonObject &, const Reply &reply)
{
    m_daemon.state([reply](const Result<DaemonState> &state) {
        reply(state ? doneLine(toJson(state.value())) : unavailable(state.error()));
    });
}

void Control::sessions(const QJsonObject &, const Reply &reply)
{
    m_daemon.sessions([reply](const Result<std::vector<std::vector<SessionReport>>> &sessions) {
        reply(sessions ? listOf(sessions.value()) : unavailable(sessions.error()));
    });
}

void Control::close(const QJsonObject &request, const Reply &reply)
{
    const auto id = sessionIdIn(request[u"session"].toString().toUtf8());
    if (!id)
        return reply(badRequest(QStringLiteral("session: 16 hexadecimal digits are accepted")));
    closeThose([id](const SessionInfo &info) { return info.id == *id; },
               QStringLiteral("no such session is open"), reply);
}

void Control::closeIdentity(const QJsonObject &request, const Reply &reply)
{
    const auto identity = identityIn(request);
    if (!identity)
        return reply(badRequest(QStringLiteral("a text as identity, or base64 as identity_base64, "
                                               "is accepted")));
    closeThose([identity](const SessionInfo &info) { return info.identity == *identity; },
               QStringLiteral("no session of that identity is open"), reply);
}

void Control::closeThose(const Controllable::SessionPicker &isMeant, const QString &whenNone,
                         const Reply &reply)
{
    m_daemon.closeSessions(isMeant, [whenNone, reply](std::int64_t closed) {
        reply(closed == 0 ? refusalLine("not-found", whenNone)
                          : doneLine({{QStringLiteral("closed"), qint64{closed}}}));
    });
}

void Control::reload(const QJsonObject &, const Reply &reply)
{
    m_daemon.reload([reply](const ReloadOutcome &outcome) { reply(lineOf(outcome)); });
}

void Control::metrics(const QJsonObject &, const Reply &reply)
{
    m_daemon.state([reply](const Result<DaemonState> &state) {
        reply(state ? doneLine({{QStringLiteral("metrics"),
                                 QString::fromUtf8(metricsText(state.value()))}})
                    : unavailable(state.error()));
    });
}

void Control::health(const QJsonObject &, const Reply &reply)
{
    m_daemon.health([reply](const Result<Controllable::Health> &health) {
        reply(health ? doneLine({{QStringLiteral("workers"), health.value().workers},
                                 {QStringLiteral("sockets"), health.value().sockets}})
                     : refusalLine("unhealthy", health.error().message));
    });
}

} // namespace dtlsd
