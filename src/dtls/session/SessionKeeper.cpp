// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SessionKeeper.h"

#include <QHashFunctions>

#include <algorithm>
#include <thread>
#include <utility>

namespace dtlsd {

namespace {

// Sessions that expire, or are evicted by a lowered limit, in one turn.
constexpr int endsPerTurn = Sweep::budget / Sweep::costOfEnd;

// How long ends of sessions wait for room in the log, and how often it is checked.
constexpr std::chrono::seconds patienceWithLog{1};
constexpr std::chrono::milliseconds paceInterval{2};

} // namespace

SessionKeeper::SessionKeeper(std::shared_ptr<const ServerSettings> settings, SharedState &shared,
                             int worker, SessionTable &sessions, Handshakes &handshakes,
                             Owner &owner)
    : m_settings(std::move(settings))
    , m_shared(shared)
    , m_worker(worker)
    , m_sessions(sessions)
    , m_handshakes(handshakes)
    , m_owner(owner)
{
}

void SessionKeeper::use(std::shared_ptr<const ServerSettings> settings, Done done,
                        Clock::time_point now)
{
    m_former = std::exchange(m_settings, std::move(settings));
    ++m_generation;
    m_isCrowded = true; // perhaps: the limit may be lower
    m_crowded.clear();
    m_revoked = 0;
    const auto visit = [this](DtlsSession &session) {
        if (!isAdmitted(session))
            return true;
        const std::int64_t limit = m_settings->limits.maxSessionsPerIdentity;
        if (limit > 0 && m_shared.identities.membersOf(session.account) > limit)
            m_crowded.insert(session.account);
        return false;
    };
    const auto finish = [this, done = std::move(done)](std::int64_t) {
        m_former.reset();
        if (done)
            done(m_revoked); // including sessions that sent a record before the sweep reached them
    };
    sweep(visit, finish, now);
}

bool SessionKeeper::isAdmitted(DtlsSession &session)
{
    if (session.generation == m_generation)
        return true;
    session.generation = m_generation;
    const bool isOpen = session.state() == DtlsSession::State::Established;
    if (session.renewCredential(*m_former->identities)) {
        if (isOpen)
            adopt(session);
        return true;
    }
    if (isOpen) {
        ++m_revoked;
        m_owner.end(session, CloseReason::Revoked);
    } else {
        m_handshakes.fail(session, session.handshakeFailure());
    }
    return false;
}

void SessionKeeper::open(DtlsSession &session, Clock::time_point now)
{
    session.account = m_settings->identities->account(session.info().identity);
    m_sessions.establish(session, now);
    adopt(session);
}

DtlsSession &SessionKeeper::openAgain(std::unique_ptr<DtlsSession> session)
{
    admit(*session);
    session->account = m_settings->identities->account(session->info().identity);
    DtlsSession &opened = m_sessions.addOpen(std::move(session));
    adopt(opened);
    m_isCrowded = true; // perhaps: the limit may be lower than it was
    return opened;
}

void SessionKeeper::endWhenThereIsRoom(DtlsSession &session, CloseReason reason)
{
    while (!mayEndSessions(m_shared.time.now()))
        std::this_thread::sleep_for(paceInterval);
    m_owner.end(session, reason);
}

void SessionKeeper::replaceFormerOf(const DtlsSession &session)
{
    const SessionInfo &info = session.info();
    for (DtlsSession *former : m_sessions.openAt(info.path)) {
        const bool isOrdinary = !former->info().connectionId;
        if (former->info().identity == info.identity || (isOrdinary && !info.connectionId))
            m_owner.end(*former, CloseReason::Replaced);
    }
}

/// Applies the settings in force for the identity of an open session.
void SessionKeeper::adopt(DtlsSession &session)
{
    const QByteArray &identity = session.info().identity;
    const QByteArray account = m_settings->identities->account(identity);
    if (account != session.account)
        m_sessions.established().moveTo(account, session);
    session.setSource(qHash(account, QHashSeed::globalSeed()));
    session.follow(m_settings->replyTo(identity),
                   m_shared.rates.of(account, m_settings->datagramsPerSecond(identity)));
}

void SessionKeeper::makeRoomFor(const DtlsSession &session)
{
    const Limits &limits = m_settings->limits;
    const AgeOrder &established = m_sessions.established();
    Accounts<QByteArray> &identities = m_shared.identities;
    if (limits.maxSessionsPerIdentity > 0) {
        if (const auto claim =
                identities.claimOfOwn(limits.maxSessionsPerIdentity, session.account, 1, m_worker))
            settle(*claim, established.toGiveWay(*claim, &session));
    }
    if (const auto claim = identities.claim(limits.maxSessions, &session.account, m_worker))
        settle(*claim, established.toGiveWay(*claim, &session));
}

/// Evicts @p ours for a claim on this worker; passes any other claim to its worker.
void SessionKeeper::settle(const SharedState::IdentityClaim &claim, DtlsSession *ours)
{
    if (claim.worker != m_worker) {
        m_shared.ask(claim);
        return;
    }
    if (ours)
        m_owner.end(*ours, CloseReason::Evicted);
    m_shared.identities.settle(claim);
}

void SessionKeeper::giveWay(const SharedState::IdentityClaim &claim)
{
    DtlsSession *ours = m_sessions.established().toGiveWay(claim, nullptr);
    if (!ours)
        m_isCrowded = true; // perhaps: it has ended meanwhile, and none gives way for the newcomer
    settle(claim, ours);
}

void SessionKeeper::closeThose(const std::function<bool(const SessionInfo &)> &isMeant, Done done,
                               Clock::time_point now)
{
    const auto close = [this, isMeant, asked = now](DtlsSession &session) {
        const bool isOne = session.state() == DtlsSession::State::Established &&
                           session.establishedAt() <= asked && isMeant(session.info());
        if (isOne)
            m_owner.end(session, CloseReason::Operator);
        return isOne;
    };
    sweep(close, std::move(done), now);
}

void SessionKeeper::sweep(Sweep::Visit visit, Done done, Clock::time_point now)
{
    m_sweeps.emplace_back(std::move(visit), std::move(done));
    if (m_sweeps.size() == 1)
        continueSweeps(now);
}

void SessionKeeper::doWhatIsDue(Clock::time_point now)
{
    expire(now);
    keepToLoweredLimits(now);
    continueSweeps(now);
}

void SessionKeeper::continueSweeps(Clock::time_point now)
{
    while (!m_sweeps.empty() && mayEndSessions(now)) {
        if (!m_sweeps.front().advance(m_sessions))
            return; // the next turn goes on with it
        const Sweep finished = std::move(m_sweeps.front());
        m_sweeps.pop_front();
        finished.finish();
    }
}

void SessionKeeper::keepToLoweredLimits(Clock::time_point now)
{
    const AgeOrder &established = m_sessions.established();
    for (int ended = 0; isOverLimit() && ended < endsPerTurn && mayEndSessions(now); ++ended) {
        if (const auto claim = claimBeyondLimit())
            settle(*claim, established.toGiveWay(*claim, nullptr));
    }
}

/// nullopt: the limit is no longer exceeded.
std::optional<SharedState::IdentityClaim> SessionKeeper::claimBeyondLimit()
{
    const Limits &limits = m_settings->limits;
    if (m_crowded.empty()) {
        auto claim = m_shared.identities.claim(limits.maxSessions, nullptr, m_worker);
        m_isCrowded = claim.has_value();
        return claim;
    }
    auto claim = m_shared.identities.claimOfOwn(limits.maxSessionsPerIdentity, *m_crowded.begin(),
                                                0, m_worker);
    if (!claim)
        m_crowded.erase(m_crowded.begin());
    return claim;
}

void SessionKeeper::expire(Clock::time_point now)
{
    const AgeOrder &established = m_sessions.established();
    for (int ended = 0; ended < endsPerTurn; ++ended) {
        const bool isIdleWithId = idleDue(true) <= now;
        const bool isIdle = isIdleWithId || idleDue(false) <= now;
        if ((!isIdle && lifetimeDue() > now) || !mayEndSessions(now))
            return;
        if (isIdle)
            m_owner.end(*established.all(isIdleWithId).front(), CloseReason::Idle);
        else
            m_owner.end(*established.opened().front(), CloseReason::Lifetime);
    }
}

bool SessionKeeper::mayEndSessions(Clock::time_point now)
{
    if (now < m_nextEnd)
        return false;
    if (!m_hasRoom || m_hasRoom()) {
        m_waitsForRoom = Clock::time_point::max();
        return true;
    }
    m_waitsForRoom = std::min(m_waitsForRoom, now);
    if (now - m_waitsForRoom >= patienceWithLog)
        return true;
    m_nextEnd = now + paceInterval;
    return false;
}

/// When a session with an ID, or one without, will have been silent for too long.
SessionKeeper::Clock::time_point SessionKeeper::idleDue(bool withId) const
{
    const Limits &limits = m_settings->limits;
    return AgeOrder::due(m_sessions.established().all(withId),
                         withId ? limits.idleTimeoutWithId : limits.idleTimeout);
}

SessionKeeper::Clock::time_point SessionKeeper::lifetimeDue() const
{
    const auto &opened = m_sessions.established().opened();
    const std::chrono::milliseconds lifetime = m_settings->limits.sessionLifetime;
    return lifetime.count() == 0 || opened.empty() ? Clock::time_point::max()
                                                   : opened.front()->establishedAt() + lifetime;
}

SessionKeeper::Clock::time_point SessionKeeper::due(Clock::time_point now) const
{
    const bool isUnderWay = !m_sweeps.empty() || isOverLimit();
    return std::max(std::min({isUnderWay ? now : Clock::time_point::max(), idleDue(true),
                              idleDue(false), lifetimeDue()}),
                    m_nextEnd);
}

} // namespace dtlsd
