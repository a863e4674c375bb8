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

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

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

const QString acceptedIdentity =
    QStringLiteral("a text as identity, or base64 as identity_base64, is accepted");

/// The member @p name, which is a text, or NAME_base64; nullopt: neither, or both.
std::optional<QByteArray> bytesIn(const QJsonObject &request, const QString &name)
{
    const QJsonValue text = request[name];
    const QJsonValue base64 = request[name + QStringLiteral("_base64")];
    if (text.isString() && base64.isUndefined())
        return text.toString().toUtf8();
    if (!text.isUndefined() || !base64.isString())
        return std::nullopt;
    const auto bytes = QByteArray::fromBase64Encoding(base64.toString().toLatin1(),
                                                      QByteArray::AbortOnBase64DecodingErrors);
    return bytes ? std::optional(*bytes) : std::nullopt;
}

std::optional<QByteArray> identityIn(const QJsonObject &request)
{
    return bytesIn(request, QStringLiteral("identity"));
}

bool hasIdentity(const QJsonObject &request)
{
    return request.contains(u"identity") || request.contains(u"identity_base64");
}

Result<SessionQuery> queryIn(const QJsonObject &request)
{
    SessionQuery query;
    if (const QJsonValue limit = request[u"limit"]; !limit.isUndefined()) {
        query.limit = limit.toInt();
        if (query.limit < 1 || query.limit > SessionQuery::maximumLimit)
            return Error{QStringLiteral("limit: a whole number from 1 to %1 is accepted")
                             .arg(SessionQuery::maximumLimit)};
    }
    if (hasIdentity(request)) {
        query.identity = identityIn(request);
        if (!query.identity)
            return Error{acceptedIdentity};
    }
    return query;
}

using Picker = Controllable::SessionPicker;

const QString noSuchSession = QStringLiteral("no such session is open");
const QString noneOfThatIdentity = QStringLiteral("no session of that identity is open");

Result<Picker> sessionIn(const QJsonObject &request)
{
    const auto id = sessionIdIn(request[u"session"].toString().toUtf8());
    if (!id)
        return Error{QStringLiteral("session: 16 hexadecimal digits are accepted")};
    return Picker([id](const SessionInfo &info) { return info.id == *id; });
}

Result<Picker> sessionsOfIdentityIn(const QJsonObject &request)
{
    const auto identity = identityIn(request);
    if (!identity)
        return Error{acceptedIdentity};
    return Picker([identity](const SessionInfo &info) { return info.identity == *identity; });
}

/// An answer to `sessions`: each part of it is made when the client has room for it.
class SessionLines : public std::enable_shared_from_this<SessionLines>
{
public:
    SessionLines(std::shared_ptr<Controllable::Sessions> sessions, bool hasLimit, Reply reply)
        : m_sessions(std::move(sessions))
        , m_hasLimit(hasLimit)
        , m_reply(std::move(reply))
    {
    }

    void tellMore()
    {
        m_sessions->next([self = shared_from_this()](const auto &part) { self->tell(part); });
    }

private:
    void tell(const Result<Controllable::Sessions::Part> &part);
    [[nodiscard]] QByteArray lastLine(std::int64_t total) const;

    const std::shared_ptr<Controllable::Sessions> m_sessions;
    const bool m_hasLimit;
    const Reply m_reply;
    qint64 m_told = 0;
};

void SessionLines::tell(const Result<Controllable::Sessions::Part> &part)
{
    if (!part)
        return m_reply(unavailable(part.error()));
    QByteArray lines;
    for (const auto &[report, worker] : part.value().sessions) {
        lines += jsonLine(toJson(report, worker));
        ++m_told;
    }
    if (part.value().isLast)
        m_reply(lines + lastLine(part.value().total));
    else
        m_reply(lines, [self = shared_from_this()] { self->tellMore(); });
}

QByteArray SessionLines::lastLine(std::int64_t total) const
{
    QJsonObject line{{QStringLiteral("sessions"), m_told}};
    if (m_hasLimit)
        line.insert(QStringLiteral("total"), qint64{total});
    return doneLine(line);
}

/// Why nothing was sent to a session.
QString obstacleTo(Delivery delivery)
{
    switch (delivery) {
    case Delivery::TooLong:
        return QStringLiteral("the data is longer than the device takes");
    case Delivery::Unearned:
        return QStringLiteral("the device has moved, and its new path is not proved");
    default:
        return QStringLiteral("the session has ended");
    }
}

QByteArray lineOf(const std::vector<Delivery> &deliveries, const QString &whenNone)
{
    if (deliveries.empty())
        return refusalLine("not-found", whenNone);
    const auto sent = std::ranges::count(deliveries, Delivery::Sent);
    const auto failed =
        std::ranges::find_if(deliveries, [](Delivery it) { return it != Delivery::Sent; });
    if (sent == 0)
        return refusalLine("not-sent", obstacleTo(*failed));
    return doneLine({{QStringLiteral("sent"), qint64{sent}}});
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
        {"sessions",
         {QLatin1StringView("limit"), QLatin1StringView("identity"),
          QLatin1StringView("identity_base64")},
         &Control::sessions},
        {"close", {QLatin1StringView("session")}, &Control::close},
        {"close-identity",
         {QLatin1StringView("identity"), QLatin1StringView("identity_base64")},
         &Control::closeIdentity},
        {"send",
         {QLatin1StringView("session"), QLatin1StringView("identity"),
          QLatin1StringView("identity_base64"), QLatin1StringView("data"),
          QLatin1StringView("data_base64")},
         &Control::send},
        {"reload", {}, &Control::reload},
        {"restart", {}, &Control::restart},
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

void Control::sessions(const QJsonObject &request, const Reply &reply)
{
    const Result<SessionQuery> query = queryIn(request);
    if (!query)
        return reply(badRequest(query.error().message));
    const bool hasLimit = query.value().limit > 0;
    std::make_shared<SessionLines>(m_daemon.sessions(query.value()), hasLimit, reply)->tellMore();
}

void Control::close(const QJsonObject &request, const Reply &reply)
{
    const Result<Picker> isMeant = sessionIn(request);
    if (!isMeant)
        return reply(badRequest(isMeant.error().message));
    closeThose(isMeant.value(), noSuchSession, reply);
}

void Control::closeIdentity(const QJsonObject &request, const Reply &reply)
{
    const Result<Picker> isMeant = sessionsOfIdentityIn(request);
    if (!isMeant)
        return reply(badRequest(isMeant.error().message));
    closeThose(isMeant.value(), noneOfThatIdentity, reply);
}

void Control::send(const QJsonObject &request, const Reply &reply)
{
    const bool isByIdentity = hasIdentity(request);
    if (request.contains(u"session") == isByIdentity)
        return reply(badRequest(QStringLiteral("either session or identity is accepted")));
    const auto isMeant = isByIdentity ? sessionsOfIdentityIn(request) : sessionIn(request);
    if (!isMeant)
        return reply(badRequest(isMeant.error().message));
    const auto data = bytesIn(request, QStringLiteral("data"));
    if (!data || data->isEmpty())
        return reply(badRequest(QStringLiteral("data: a text as data, or base64 as data_base64, "
                                               "of at least one byte is accepted")));
    const QString whenNone = isByIdentity ? noneOfThatIdentity : noSuchSession;
    m_daemon.send(isMeant.value(), *data,
                  [whenNone, reply](const std::vector<Delivery> &deliveries) {
                      reply(lineOf(deliveries, whenNone));
                  });
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

void Control::restart(const QJsonObject &, const Reply &reply)
{
    const Result<QString> begun = m_daemon.restart();
    reply(begun ? doneLine({{QStringLiteral("message"), begun.value()}})
                : refusalLine("not-kept", begun.error().message));
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
                                 {QStringLiteral("sockets"), health.value().sockets},
                                 {QStringLiteral("connection_ids"),
                                  health.value().connectionIds == ConnectionIdUse::InForce},
                                 {QStringLiteral("keep_sessions"), health.value().keepsSessions}})
                     : refusalLine("unhealthy", health.error().message));
    });
}

} // namespace dtlsd
