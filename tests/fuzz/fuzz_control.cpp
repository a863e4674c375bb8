// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes app/Control: the input says how the daemon takes what it is asked, and then is a request.
// Whatever that is, there is one answer: JSON lines that a terminal can show, the last of which,
// and no other, says whether it is done. What is no request of dtlsctl's touches nothing.
#include "control/Control.h"
#include "core/Escape.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/Program.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

constexpr qsizetype longestAnswer = 128 << 10; // beyond what repeats the request

SessionReport session(std::uint64_t id, const QByteArray &identity)
{
    SessionReport report;
    report.info = {.id = SessionId{id}, .path = {}};
    report.info.identity = identity;
    report.isEstablished = true;
    return report;
}

/// Answers at once or later, or that it cannot.
class Daemon : public Controllable
{
public:
    Daemon(bool isLate, bool isUnwell)
        : m_isLate(isLate)
        , m_isUnwell(isUnwell)
    {
    }

    void state(Then<Result<DaemonState>> then) override
    {
        DaemonState state;
        state.configFile = QString::fromUtf8("\x1b[31m\u202e\n");
        state.workers.resize(2);
        state.services.resize(1);
        say(std::move(then), std::move(state));
    }
    std::shared_ptr<Sessions> sessions(const SessionQuery &query) override
    {
        require(query.limit >= 0 && query.limit <= SessionQuery::maximumLimit,
                "a limit is one that the workers accept");
        return std::make_shared<Listing>(*this);
    }
    void closeSessions(const SessionPicker &isMeant, Then<std::int64_t> then) override
    {
        const auto closed = std::erase_if(
            m_sessions, [&](const SessionReport &report) { return isMeant(report.info); });
        later([then = std::move(then), closed] { then(static_cast<std::int64_t>(closed)); });
    }
    void send(const SessionPicker &isMeant, const QByteArray &payload,
              Then<std::vector<Delivery>> then) override
    {
        require(!payload.isEmpty(), "a datagram has a byte");
        std::vector<Delivery> became;
        for (const SessionReport &report : m_sessions) {
            if (isMeant(report.info))
                became.push_back(m_isUnwell ? Delivery::TooLong : Delivery::Sent);
        }
        later([then = std::move(then), became] { then(became); });
    }
    void reload(Then<const ReloadOutcome &> then) override
    {
        ReloadOutcome outcome = Reloaded{};
        if (m_isUnwell)
            outcome = ReloadRejected{};
        later([then = std::move(then), outcome] { then(outcome); });
    }
    Result<QString> restart() override
    {
        ++m_calls;
        if (m_isUnwell)
            return Error{QStringLiteral("nothing keeps the sessions")};
        return QStringLiteral("restarting");
    }
    void health(Then<Result<Health>> then) override
    {
        say(std::move(then), Health{2, 4, ConnectionIdUse::InForce, true});
    }

    /// What was put off.
    void goOn()
    {
        for (const auto &task : std::exchange(m_tasks, {}))
            task();
    }
    [[nodiscard]] int calls() const { return m_calls; }

private:
    /// One session in each part.
    class Listing : public Sessions
    {
    public:
        explicit Listing(Daemon &daemon)
            : m_daemon(daemon)
        {
        }
        void next(Then<Result<Part>> then) override
        {
            const auto &sessions = m_daemon.m_sessions;
            Part part{.sessions = {{sessions[m_told++], 0}}, .total = 3, .isLast = false};
            part.isLast = m_told == sessions.size();
            m_daemon.say(std::move(then), std::move(part));
        }

    private:
        Daemon &m_daemon;
        std::size_t m_told = 0;
    };

    template <class T>
    void say(Then<Result<T>> then, T answer)
    {
        const Result<T> said = m_isUnwell ? Result<T>(Error{QStringLiteral("\x1b[0m worker")})
                                          : Result<T>(std::move(answer));
        later([then = std::move(then), said] { then(said); });
    }
    void later(std::function<void()> task)
    {
        ++m_calls;
        m_tasks.push_back(std::move(task));
        if (!m_isLate)
            goOn();
    }

    const bool m_isLate;
    const bool m_isUnwell;
    std::vector<SessionReport> m_sessions{session(1, "sensor-17"), session(2, "\xff\x1b[31m"),
                                          session(3, {})};
    std::vector<std::function<void()>> m_tasks;
    int m_calls = 0;
};

bool isVisible(const QByteArray &text)
{
    const QString shown = QString::fromUtf8(text);
    const auto characters = shown.toUcs4();
    return shown.toUtf8() == text &&
           std::all_of(characters.begin(), characters.end(), &isPrintable);
}

bool hasVerdict(const QByteArray &line)
{
    const QJsonDocument document = QJsonDocument::fromJson(line);
    require(document.isObject(), "each line is a JSON object");
    return document.object().value(QStringLiteral("ok")).isBool();
}

void check(const QByteArray &answer, const QByteArray &request, bool isRequest)
{
    require(answer.endsWith('\n'), "an answer has lines");
    require(answer.size() <= longestAnswer + 16 * request.size(), "an answer is bounded");
    const QByteArrayList lines = answer.chopped(1).split('\n');
    for (const QByteArray &line : lines) {
        require(isVisible(line), "a terminal shows what it is told, and obeys nothing");
        require(hasVerdict(line) == (&line == &lines.constLast()),
                "the last line, and no other, says whether it is done");
    }
    const QJsonObject last = QJsonDocument::fromJson(lines.constLast()).object();
    const bool isDone = last.value(QStringLiteral("ok")).toBool();
    require(isDone || !last.value(QStringLiteral("error")).toString().isEmpty(),
            "a refusal has a reason");
    require(isRequest || !isDone, "what is no request is refused");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const QByteArrayView input = viewOf(data, size);
    const int manner = Program(input).numberBelow(4);
    const QByteArray request = input.sliced(qMin<qsizetype>(input.size(), 1)).toByteArray();
    Daemon daemon((manner & 1) != 0, (manner & 2) != 0);
    Control control(daemon);
    QByteArray answer;
    int parts = 0;
    Reply::More more;
    control.answer(request, Reply([&](const QByteArray &lines, const Reply::More &next) {
                       answer += lines;
                       ++parts;
                       more = next;
                   }));
    daemon.goOn();
    while (more) {
        std::exchange(more, {})();
        daemon.goOn();
    }

    require(parts == std::max(daemon.calls(), 1), "there is one answer to one question");
    check(answer, request, daemon.calls() > 0);
    return 0;
}
