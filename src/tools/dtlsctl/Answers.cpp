// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Answers.h"

#include <QJsonArray>

namespace dtlsd {

namespace {

/// Reads fields, and remembers the first one that is missing or has the wrong type.
class Fields
{
public:
    explicit Fields(const QJsonObject &object)
        : m_object(object)
    {
    }

    std::int64_t number(const char *name) { return take(name, QJsonValue::Double).toInteger(); }
    double seconds(const char *name) { return take(name, QJsonValue::Double).toDouble(); }
    bool boolean(const char *name) { return take(name, QJsonValue::Bool).toBool(); }
    QString text(const char *name) { return take(name, QJsonValue::String).toString(); }
    QJsonArray array(const char *name) { return take(name, QJsonValue::Array).toArray(); }
    QJsonObject object(const char *name) { return take(name, QJsonValue::Object).toObject(); }
    QByteArray identity();
    TrafficAnswer traffic();

    /// @p answer, if no field was missing.
    template <class Answer>
    Result<Answer> checked(Answer answer) const
    {
        if (m_missing)
            return Error{QStringLiteral("it lacks %1").arg(QLatin1String(m_missing))};
        return answer;
    }

private:
    QJsonValue take(const char *name, QJsonValue::Type type)
    {
        QJsonValue value = m_object.value(QLatin1String(name));
        if (value.type() != type && !m_missing)
            m_missing = name;
        return value;
    }

    const QJsonObject m_object;
    const char *m_missing = nullptr;
};

QByteArray Fields::identity()
{
    if (m_object.contains(QStringLiteral("identity_base64")))
        return QByteArray::fromBase64(text("identity_base64").toLatin1());
    return m_object.contains(QStringLiteral("identity")) ? text("identity").toUtf8() : QByteArray();
}

TrafficAnswer Fields::traffic()
{
    TrafficAnswer traffic;
    traffic.datagramsReceived = number("datagrams_received");
    traffic.bytesReceived = number("bytes_received");
    traffic.datagramsSent = number("datagrams_sent");
    traffic.bytesSent = number("bytes_sent");
    return traffic;
}

Result<WorkerAnswer> parseWorker(const QJsonObject &object)
{
    Fields fields(object);
    WorkerAnswer worker;
    worker.worker = fields.number("worker");
    worker.sessions = fields.number("sessions");
    worker.halfOpen = fields.number("half_open");
    worker.datagramsReceived = fields.number("datagrams_received");
    worker.cpuSeconds = fields.seconds("cpu_s");
    return fields.checked(worker);
}

Result<> readWorkers(const QJsonArray &array, StatusAnswer &status)
{
    for (const auto &value : array) {
        const Result<WorkerAnswer> worker = parseWorker(value.toObject());
        if (!worker)
            return worker.error();
        status.workers += worker.value();
    }
    return success();
}

Result<> readLog(const QJsonObject &object, StatusAnswer &status)
{
    Fields fields(object);
    status.logTarget = fields.text("target");
    status.logWaiting = fields.number("waiting");
    status.logCapacity = fields.number("capacity");
    status.logWritten = fields.number("written");
    status.logLost = fields.number("lost");
    status.logUnverified = fields.number("unverified");
    status.logStalledSeconds = fields.seconds("stalled_s");
    status.logLosingSeconds = fields.seconds("losing_s");
    status.logLossReason = fields.text("loss_reason");
    status.logObstacle = fields.text("obstacle");
    return fields.checked(std::monostate());
}

Result<> readServices(const QJsonArray &array, ForwardAnswer &forward)
{
    for (const auto &value : array) {
        Fields fields(value.toObject());
        ServiceAnswer service;
        service.service = fields.text("service");
        service.isReachable = fields.boolean("reachable");
        const Result<ServiceAnswer> checked = fields.checked(service);
        if (!checked)
            return checked.error();
        forward.services += checked.value();
    }
    return success();
}

Result<> readDrops(const QJsonObject &object, ForwardAnswer &forward)
{
    for (auto drop = object.begin(); drop != object.end(); ++drop) {
        if (!drop->isDouble())
            return Error{QStringLiteral("a number of dropped datagrams is none")};
        forward.dropped += {drop.key(), drop->toInteger()};
    }
    return success();
}

Result<> readForward(const QJsonObject &object, ForwardAnswer &forward)
{
    Fields fields(object);
    forward.sockets = fields.number("sockets");
    forward.datagramsToService = fields.number("datagrams_to_service");
    forward.bytesToService = fields.number("bytes_to_service");
    forward.datagramsFromService = fields.number("datagrams_from_service");
    forward.bytesFromService = fields.number("bytes_from_service");
    const QJsonArray services = fields.array("services");
    const QJsonObject dropped = fields.object("dropped");
    for (const Result<> &part : {fields.checked(std::monostate()), readServices(services, forward),
                                 readDrops(dropped, forward)}) {
        if (!part)
            return part.error();
    }
    return success();
}

Result<> readReloads(const QJsonObject &object, StatusAnswer &status)
{
    Fields fields(object);
    status.reloadsApplied = fields.number("applied");
    status.reloadsRejected = fields.number("rejected");
    status.lastReload = fields.text("last");
    return fields.checked(std::monostate());
}

} // namespace

Result<StatusAnswer> StatusAnswer::parse(const QJsonObject &object)
{
    Fields fields(object);
    StatusAnswer status;
    status.version = fields.text("version");
    status.pid = fields.number("pid");
    status.uptimeSeconds = fields.seconds("uptime_s");
    status.configFile = fields.text("config_file");
    for (const auto &address : fields.array("listen"))
        status.listen += address.toString();
    status.tlsBackend = fields.text("tls_backend");
    status.keepsSessions = fields.boolean("keep_sessions");
    status.keepObstacle = fields.text("keep_sessions_obstacle");
    status.takenOver = fields.number("taken_over");
    status.identities = fields.number("identities");
    status.sessions = fields.number("sessions");
    status.halfOpen = fields.number("half_open");
    status.sessionsOpened = fields.number("sessions_opened");
    status.sessionsClosed = fields.number("sessions_closed");
    status.handshakesFailed = fields.number("handshakes_failed");
    status.traffic = fields.traffic();
    status.receiptsWithheld = fields.number("receipts_withheld");
    const QJsonArray workers = fields.array("workers");
    const QJsonObject log = fields.object("log");
    const QJsonObject forward = fields.object("forward");
    const QJsonObject reloads = fields.object("reloads");
    for (const Result<> &part :
         {fields.checked(std::monostate()), readWorkers(workers, status), readLog(log, status),
          readForward(forward, status.forward), readReloads(reloads, status)}) {
        if (!part)
            return part.error();
    }
    return status;
}

Result<SessionAnswer> SessionAnswer::parse(const QJsonObject &object)
{
    Fields fields(object);
    SessionAnswer session;
    session.session = fields.text("session");
    session.state = fields.text("state");
    session.identity = fields.identity();
    session.peer = fields.text("peer");
    session.local = fields.text("local");
    session.cipher = fields.text("cipher");
    session.protocol = fields.text("protocol");
    session.connectionId = fields.text("connection_id");
    session.serviceSource = fields.text("service_source");
    session.ageSeconds = fields.seconds("age_s");
    session.idleSeconds = fields.seconds("idle_s");
    session.traffic = fields.traffic();
    session.badRecords = fields.number("bad_records");
    session.worker = fields.number("worker");
    return fields.checked(session);
}

} // namespace dtlsd
