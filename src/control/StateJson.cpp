// SPDX-License-Identifier: Apache-2.0
#include "control/StateJson.h"

#include "core/Json.h"
#include "core/Version.h"
#include "events/Reasons.h"
#include "forward/SourceAddresses.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QStringList>

#include <array>
#include <chrono>

namespace dtlsd {

namespace {

using Json = QJsonObject;

Json operator+(Json left, const Json &right)
{
    for (auto member = right.begin(); member != right.end(); ++member)
        left.insert(member.key(), member.value());
    return left;
}

/// JSON numbers are exact up to 2^53, which none of our counters reaches.
qint64 number(std::uint64_t count)
{
    return static_cast<qint64>(count);
}

double seconds(std::chrono::microseconds time)
{
    return std::chrono::duration<double>(time).count();
}

Json traffic(const Traffic &received, const Traffic &sent)
{
    return {{QStringLiteral("datagrams_received"), number(received.datagrams)},
            {QStringLiteral("bytes_received"), number(received.bytes)},
            {QStringLiteral("datagrams_sent"), number(sent.datagrams)},
            {QStringLiteral("bytes_sent"), number(sent.bytes)}};
}

QJsonArray described(const std::vector<WorkerState> &workers)
{
    QJsonArray array;
    for (const WorkerState &worker : workers)
        array += Json{
            {QStringLiteral("worker"), array.size()},
            {QStringLiteral("sessions"), qint64{worker.statistics.sessions}},
            {QStringLiteral("half_open"), qint64{worker.statistics.halfOpen}},
            {QStringLiteral("datagrams_received"), number(worker.statistics.received.datagrams)},
            {QStringLiteral("cpu_s"), seconds(worker.cpuTime)}};
    return array;
}

Json described(const LogState &log, LogTarget sink, std::size_t capacity)
{
    return {{QStringLiteral("target"), nameIn(logTargetNames, sink)},
            {QStringLiteral("waiting"), number(log.waiting)},
            {QStringLiteral("capacity"), number(capacity)},
            {QStringLiteral("written"), number(log.kept)},
            {QStringLiteral("lost"), number(log.lost)},
            {QStringLiteral("unverified"), number(log.unverified)},
            {QStringLiteral("losing_s"), seconds(log.losing)},
            {QStringLiteral("loss_reason"), QString::fromStdString(log.lossReason)},
            {QStringLiteral("obstacle"), QString::fromStdString(log.obstacle)},
            {QStringLiteral("stalled_s"), seconds(log.stalled)}};
}

Json described(const ForwardStatistics &forwarded, const std::vector<ServiceState> &services)
{
    QJsonArray targets;
    for (const ServiceState &service : services)
        targets += Json{{QStringLiteral("service"), service.target.toString()},
                        {QStringLiteral("reachable"), service.isReachable}};
    Json dropped;
    for (std::size_t i = 0; i < forwarded.dropped.counts.size(); ++i)
        dropped.insert(QLatin1String(reasonFor(static_cast<ForwardDrop>(i)).name),
                       number(forwarded.dropped.counts[i]));
    return {{QStringLiteral("services"), targets},
            {QStringLiteral("sockets"), qint64{forwarded.sockets}},
            {QStringLiteral("datagrams_to_service"), number(forwarded.toService.datagrams)},
            {QStringLiteral("bytes_to_service"), number(forwarded.toService.bytes)},
            {QStringLiteral("datagrams_from_service"), number(forwarded.fromService.datagrams)},
            {QStringLiteral("bytes_from_service"), number(forwarded.fromService.bytes)},
            {QStringLiteral("dropped"), dropped}};
}

Json described(const ReloadCounts &reloads)
{
    static constexpr std::array outcomes{u"none", u"applied", u"rejected"};
    return {{QStringLiteral("applied"), number(reloads.applied)},
            {QStringLiteral("rejected"), number(reloads.rejected)},
            {QStringLiteral("last"),
             QStringView(outcomes.at(static_cast<std::size_t>(reloads.last))).toString()}};
}

/// The address at which a service sees the session; empty: it has none.
QString sourceText(std::uint64_t word)
{
    const SocketAddress source = SourceAddresses::addressOf(word);
    return source == SocketAddress() ? QString() : source.toString();
}

} // namespace

QJsonObject toJson(const SessionReport &report, std::size_t worker)
{
    const SessionInfo &info = report.info;
    Json object{{QStringLiteral("session"), QString::fromLatin1(info.idText())},
                {QStringLiteral("state"), report.isEstablished ? QStringLiteral("established")
                                                               : QStringLiteral("handshaking")},
                {QStringLiteral("peer"), info.path.peer.toString()},
                {QStringLiteral("local"), info.path.local.toString()},
                {QStringLiteral("cipher"),
                 info.isOpen() ? QString::fromLatin1(info.cipher.text()) : QString()},
                {QStringLiteral("protocol"),
                 info.isOpen() ? QString::fromLatin1(SessionInfo::protocol) : QString()},
                {QStringLiteral("connection_id"),
                 info.connectionId ? info.connectionId->text() : QString()},
                {QStringLiteral("service_source"), sourceText(report.service)},
                {QStringLiteral("age_s"), seconds(report.age)},
                {QStringLiteral("idle_s"), seconds(report.idle)},
                {QStringLiteral("bad_records"), number(report.badRecords)},
                {QStringLiteral("worker"), number(worker)}};
    insertBytes(object, QStringLiteral("identity"), info.identity);
    return object + traffic(report.received, report.sent);
}

QJsonObject toJson(const DaemonState &state)
{
    const Statistics total = state.total();
    QStringList addresses;
    for (const SocketAddress &address : state.addresses)
        addresses += address.toString();
    return Json{{QStringLiteral("version"), QLatin1String(version)},
                {QStringLiteral("pid"), QCoreApplication::applicationPid()},
                {QStringLiteral("uptime_s"),
                 seconds(std::chrono::milliseconds(
                     state.started.msecsTo(QDateTime::currentDateTimeUtc())))},
                {QStringLiteral("config_file"), state.configFile},
                {QStringLiteral("listen"), QJsonArray::fromStringList(addresses)},
                {QStringLiteral("tls_backend"), nameIn(backendNames, state.tlsBackend)},
                {QStringLiteral("connection_ids"), state.connectionIds == ConnectionIdUse::InForce},
                {QStringLiteral("keep_sessions"), state.kept.areKept()},
                {QStringLiteral("keep_sessions_obstacle"), state.kept.obstacle},
                {QStringLiteral("taken_over"), qint64{state.kept.takenOver}},
                {QStringLiteral("steering"), state.isSteered},
                {QStringLiteral("identities"), qint64{state.identities}},
                {QStringLiteral("sessions"), qint64{total.sessions}},
                {QStringLiteral("half_open"), qint64{total.halfOpen}},
                {QStringLiteral("sessions_opened"), number(total.sessionsOpened)},
                {QStringLiteral("sessions_closed"), number(total.sessionsClosed.total())},
                {QStringLiteral("handshakes_failed"), number(total.handshakesFailed.total())},
                {QStringLiteral("receipts_withheld"), number(state.withheldReceipts())},
                {QStringLiteral("workers"), described(state.workers)},
                {QStringLiteral("log"), described(state.log, state.sink, state.logCapacity)},
                {QStringLiteral("forward"), described(state.totalForwarded(), state.services)},
                {QStringLiteral("reloads"), described(state.reloads)}} +
           traffic(total.received, total.sent);
}

QByteArray doneLine(QJsonObject more)
{
    more.insert(QStringLiteral("ok"), true);
    return jsonLine(more);
}

QByteArray refusalLine(const char *code, const QString &error)
{
    return jsonLine({{QStringLiteral("ok"), false},
                     {QStringLiteral("code"), QLatin1String(code)},
                     {QStringLiteral("error"), error}});
}

} // namespace dtlsd
