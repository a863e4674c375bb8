// SPDX-License-Identifier: Apache-2.0
//
// FakeDaemon: stands in for the daemon of a Control; AskedControl sends requests to such a Control.
#pragma once

#include "control/Control.h"
#include "forward/SourceAddresses.h"
#include "support/ControlPeer.h"
#include "support/JsonFields.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace dtlsd::test {

inline constexpr std::uint64_t firstId = 0x0123456789abcdef;

/// Bytes that are no UTF-8, and a text that would turn a terminal's writing direction.
inline const QByteArray rawIdentity("\xff\x00zz", 4);
inline const QByteArray rightToLeft("\xef\xbb\xbf"
                                    "a\xe2\x80\xaeZ\xc2\x9b"
                                    "31m");

inline SessionReport session(std::uint64_t id, const QByteArray &identity)
{
    SessionReport report;
    report.info = {.id = SessionId{id},
                   .path = {*SocketAddress::parse(QStringLiteral("192.0.2.7:5683")),
                            *SocketAddress::parse(QStringLiteral("192.0.2.1:22334"))},
                   .identity = identity,
                   .cipher = CipherSuite::named("PSK-AES128-GCM-SHA256")};
    report.isEstablished = true;
    report.age = std::chrono::milliseconds(1500);
    report.idle = std::chrono::milliseconds(200);
    report.received = {5, 60};
    report.sent = {4, 100};
    report.badRecords = 2;
    report.service =
        SourceAddresses::wordOf(*SocketAddress::parse(QStringLiteral("127.1.2.3:61004")));
    return report;
}

/// Tells one session in each part.
class FakeSessions : public Controllable::Sessions
{
public:
    std::optional<Error> problem;
    std::deque<Controllable::ListedSession> left;

    void next(Then<Result<Part>> then) override
    {
        if (problem)
            return then(*problem);
        Part part{.sessions = {}, .total = 100, .isLast = left.size() <= 1};
        if (!left.empty()) {
            part.sessions.push_back(left.front());
            left.pop_front();
        }
        then(std::move(part));
    }
};

/// Two workers with four sessions. If `problem` is set, each question about them fails with it.
/// While `isSlow`, commands that change something are answered by a call of `later`.
class FakeDaemon : public Controllable
{
public:
    std::optional<Error> problem;
    ConnectionIdUse connectionIds = ConnectionIdUse::InForce;
    KeptSessions kept{KeepSessionsUse::InForce, {}, 3};
    ReloadOutcome outcome = Reloaded{};
    Result<QString> restarted = QStringLiteral("restarting, and keeping 4 sessions");
    std::vector<std::vector<SessionReport>> open{
        {session(firstId, "sensor-17"), session(firstId + 1, rawIdentity)},
        {session(firstId + 2, "sensor-17"), session(firstId + 3, rightToLeft)}};
    std::deque<Delivery> deliveries; ///< what becomes of what is sent next; then all is sent
    QList<QByteArray> sent;          ///< the payload for each session
    std::vector<SessionQuery> queries;
    int calls = 0;
    bool isSlow = false;
    std::vector<std::function<void()>> later;

    void state(Then<Result<DaemonState>> then) override
    {
        ++calls;
        if (problem)
            return then(*problem);
        DaemonState state;
        state.started = QDateTime::currentDateTimeUtc().addMSecs(-1500);
        state.configFile = QStringLiteral("/etc/dtlsd/dtlsd.ini");
        state.addresses = {*SocketAddress::parse(QStringLiteral("[::1]:22334"))};
        state.tlsBackend = BackendKind::Dtlsd;
        state.connectionIds = connectionIds;
        state.kept = kept;
        state.isSteered = true;
        state.identities = 3;
        state.sink = LogTarget::Journal;
        state.logCapacity = 16'384;
        state.log = {.waiting = 7,
                     .kept = 12,
                     .lost = 1,
                     .unverified = 3,
                     .stalled = std::chrono::milliseconds(2500),
                     .losing = std::chrono::milliseconds(1500),
                     .lossReason = "no room",
                     .obstacle = "no file"};
        state.reloads.count(ReloadCounts::Outcome::Applied);
        state.reloads.count(ReloadCounts::Outcome::Rejected);
        WorkerState worker;
        worker.statistics.sessions = 1;
        worker.statistics.halfOpen = 2;
        worker.statistics.sessionsOpened = 3;
        worker.statistics.sessionsClosed[CloseReason::Idle] = 1;
        worker.statistics.sessionsClosed[CloseReason::Error] = 1;
        worker.statistics.handshakesFailed[HandshakeFailure::Timeout] = 4;
        worker.statistics.received = {5, 60};
        worker.statistics.sent = {4, 100};
        worker.forward.toService = {4, 50};
        worker.forward.fromService = {3, 40};
        worker.forward.dropped[ForwardDrop::Refused] = 2;
        worker.forward.sockets = 2;
        worker.withheldReceipts = 6;
        worker.cpuTime = std::chrono::milliseconds(120);
        state.workers = {worker, worker};
        state.services = {{*SocketAddress::parse(QStringLiteral("127.0.0.1:5683")), true},
                          {*SocketAddress::parse(QStringLiteral("[::1]:5684")), false}};
        then(std::move(state));
    }

    std::shared_ptr<Sessions> sessions(const SessionQuery &query) override
    {
        ++calls;
        queries.push_back(query);
        auto sessions = std::make_shared<FakeSessions>();
        sessions->problem = problem;
        for (std::size_t worker = 0; worker < open.size(); ++worker) {
            for (const SessionReport &report : open[worker])
                sessions->left.push_back({report, worker});
        }
        return sessions;
    }

    void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) override
    {
        ++calls;
        std::int64_t closed = 0;
        for (auto &sessions : open)
            closed += std::erase_if(
                sessions, [&](const SessionReport &report) { return isMeant(report.info); });
        const auto answer = [then = std::move(then), closed] { then(closed); };
        isSlow ? later.push_back(answer) : answer();
    }

    void send(const SessionPicker &isMeant, const QByteArray &payload,
              Then<std::vector<Delivery>> then) override
    {
        ++calls;
        std::vector<Delivery> became;
        for (const auto &sessions : open) {
            for (const SessionReport &report : sessions) {
                if (!isMeant(report.info))
                    continue;
                sent += payload;
                became.push_back(deliveries.empty() ? Delivery::Sent : deliveries.front());
                if (!deliveries.empty())
                    deliveries.pop_front();
            }
        }
        const auto answer = [then = std::move(then), became] { then(became); };
        isSlow ? later.push_back(answer) : answer();
    }

    void reload(Then<const ReloadOutcome &> then) override
    {
        ++calls;
        const auto answer = [this, then = std::move(then)] { then(outcome); };
        isSlow ? later.push_back(answer) : answer();
    }

    Result<QString> restart() override
    {
        ++calls;
        return restarted;
    }

    void health(Then<Result<Health>> then) override
    {
        ++calls;
        if (problem)
            return then(*problem);
        then(Health{2, 4, connectionIds, kept.areKept()});
    }
};

/// Whether a terminal shows all of @p line: no control or invisible characters.
inline bool isVisible(const QByteArray &line)
{
    const QString shown = QString::fromUtf8(line);
    return std::none_of(shown.begin(), shown.end(), [](QChar character) {
        return character.category() == QChar::Other_Control ||
               character.category() == QChar::Other_Format;
    });
}

/// Whether @p answer is valid: lines of objects, the last of which has `ok`, and a reason if that
/// is false.
inline bool isAnswer(const QByteArray &answer)
{
    const QList<QJsonObject> objects = ControlPeer::parse(answer);
    if (objects.isEmpty() || !objects.constLast().value(QStringLiteral("ok")).isBool())
        return false;
    const QJsonObject &last = objects.constLast();
    const bool isDone = last.value(QStringLiteral("ok")).toBool();
    const QList<QByteArray> lines = answer.chopped(1).split('\n');
    return std::all_of(lines.begin(), lines.end(), isVisible) &&
           (isDone || (!text(last, "code").isEmpty() && !text(last, "error").isEmpty()));
}

/// A Control, and the daemon that it asks.
class AskedControl
{
public:
    /// Empty: no answer yet.
    QByteArray answerTo(const QByteArray &request)
    {
        QByteArray answer;
        Reply::More more;
        control.answer(request, Reply([&](const QByteArray &lines, const Reply::More &next) {
                           answer += lines;
                           more = next;
                       }));
        while (more)
            std::exchange(more, {})();
        return answer;
    }
    /// The last object of the answer to @p request, which must be one.
    QJsonObject ask(const QByteArray &request)
    {
        const QByteArray answer = answerTo(request);
        return isAnswer(answer) ? ControlPeer::parse(answer).constLast() : QJsonObject();
    }

    FakeDaemon daemon;
    Control control{daemon};
};

} // namespace dtlsd::test
