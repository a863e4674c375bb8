// SPDX-License-Identifier: Apache-2.0
//
// dtlsd's answers to `status` and `sessions`, as types. Every field is required, as dtlsctl and
// dtlsd are of one version.
#pragma once

#include "core/Result.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>

#include <cstdint>

namespace dtlsd {

struct WorkerAnswer
{
    std::int64_t worker = 0;
    std::int64_t sessions = 0;
    std::int64_t halfOpen = 0;
    std::int64_t datagramsReceived = 0;
    double cpuSeconds = 0;
};

struct TrafficAnswer
{
    std::int64_t datagramsReceived = 0;
    std::int64_t bytesReceived = 0;
    std::int64_t datagramsSent = 0;
    std::int64_t bytesSent = 0;
};

struct ServiceAnswer
{
    QString service; ///< its address
    bool isReachable = false;
};

struct DropAnswer
{
    QString cause; ///< as the metrics name it
    std::int64_t datagrams = 0;
};

/// What goes to local services, and comes back.
struct ForwardAnswer
{
    QList<ServiceAnswer> services; ///< empty: none is configured
    std::int64_t sockets = 0;
    std::int64_t datagramsToService = 0;
    std::int64_t bytesToService = 0;
    std::int64_t datagramsFromService = 0;
    std::int64_t bytesFromService = 0;
    QList<DropAnswer> dropped; ///< a cause of which there were none is there too
};

struct StatusAnswer
{
    QString version;
    std::int64_t pid = 0;
    double uptimeSeconds = 0;
    QString configFile; ///< empty: the built-in defaults
    QStringList listen;
    QString tlsBackend;         ///< `dtlsd` or `qt`
    bool keepsSessions = false; ///< over a restart
    QString keepObstacle;       ///< why it does not, if they are wanted; else empty
    std::int64_t takenOver = 0; ///< sessions of the process before
    std::int64_t identities = 0;
    std::int64_t sessions = 0;
    std::int64_t halfOpen = 0;
    QList<WorkerAnswer> workers;
    std::int64_t sessionsOpened = 0;
    std::int64_t sessionsClosed = 0;
    std::int64_t handshakesFailed = 0;
    TrafficAnswer traffic;
    std::int64_t receiptsWithheld = 0;
    QString logTarget;
    std::int64_t logWaiting = 0;
    std::int64_t logCapacity = 0;
    std::int64_t logWritten = 0;
    std::int64_t logLost = 0;
    std::int64_t logUnverified = 0;
    double logStalledSeconds = 0;
    double logLosingSeconds = 0;
    QString logLossReason;
    QString logObstacle; ///< empty: entries can be read back
    ForwardAnswer forward;
    std::int64_t reloadsApplied = 0;
    std::int64_t reloadsRejected = 0;
    QString lastReload; ///< `none`, `applied` or `rejected`

    static Result<StatusAnswer> parse(const QJsonObject &object);
};

struct SessionAnswer
{
    QString session;
    QString state;       ///< `established` or `handshaking`
    QByteArray identity; ///< empty: the device has not sent one yet, or the empty identity
    QString peer;
    QString local;
    QString cipher;        ///< empty while handshaking
    QString protocol;      ///< empty while handshaking
    QString connectionId;  ///< empty: it has none
    QString serviceSource; ///< where a local service sees it; empty: it has none
    double ageSeconds = 0;
    double idleSeconds = 0;
    TrafficAnswer traffic;
    std::int64_t badRecords = 0;
    std::int64_t worker = 0;

    static Result<SessionAnswer> parse(const QJsonObject &object);
};

} // namespace dtlsd
