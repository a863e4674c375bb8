// SPDX-License-Identifier: Apache-2.0
#include "forward/ServicePort.h"

#include "dtls/TimeSource.h"
#include "forward/ProxyHeader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>

namespace dtlsd {

namespace {

// Answers in a turn: to encrypt them takes less than a millisecond.
constexpr std::size_t answersPerTurn = 64;

constexpr std::size_t largestDatagram = 65'536;

// An address that is due may be in use, at [::1] by a session. To try one takes a few microseconds.
constexpr int attempts = 64;

QString textOf(int error)
{
    if (error == EADDRINUSE)
        return QStringLiteral("no address is left to send from");
    return QString::fromStdString(std::generic_category().message(error));
}

} // namespace

ServicePort::ServicePort(std::shared_ptr<const ForwardSettings> settings,
                         std::shared_ptr<SharedServices> shared, Owner &owner)
    : m_settings(std::move(settings))
    , m_shared(std::move(shared))
    , m_owner(owner)
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_readable(m_epoll.number(), QSocketNotifier::Read)
    , m_buffer(largestDatagram)
{
    if (!m_epoll.isOpen())
        qFatal("epoll_create1(2) gives no descriptor");
    m_timer.setSingleShot(true);
    QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { report(); });
    QObject::connect(&m_readable, &QSocketNotifier::activated, &m_timer, [this] { receive(); });
}

void ServicePort::use(std::shared_ptr<const ForwardSettings> settings)
{
    m_settings = std::move(settings);
    ++m_generation;
}

/// Its socket may be to a service that the settings in force no longer name.
void ServicePort::followSettings(Link &link)
{
    if (std::exchange(link.generation, m_generation) == m_generation)
        return;
    const SocketAddress target = m_settings->targetOf(link.identity);
    if (target == link.target)
        return;
    if (link.socket.isOpen())
        m_owner.assigned(link.session, 0);
    close(link);
    link.target = target;
}

bool ServicePort::expects(const SessionInfo &session)
{
    if (!isUsed() && m_links.empty())
        return false;
    const auto known = m_links.find(session.id);
    if (known != m_links.end()) {
        followSettings(known->second);
        ++known->second.awaited;
        return true;
    }
    const SocketAddress target = m_settings->targetOf(session.identity);
    if (target == SocketAddress())
        return false;
    enter(session, target).awaited = 1;
    return true;
}

ServicePort::Link &ServicePort::enter(const SessionInfo &session, const SocketAddress &target)
{
    return m_links
        .emplace(session.id, Link{.session = session.handle(),
                                  .identity = session.identity,
                                  .target = target,
                                  .source = {},
                                  .socket = {},
                                  .generation = m_generation})
        .first->second;
}

void ServicePort::deliver(const SessionInfo &session, const QByteArray &payload)
{
    const auto link = m_links.find(session.id);
    followSettings(link->second);
    if (link->second.target != SocketAddress()) {
        if (link->second.socket.isOpen() || open(link->second))
            send(link->second, session, payload);
        report();
    }
    settled(link);
}

void ServicePort::withhold(const SessionInfo &session)
{
    ++m_statistics.dropped[ForwardDrop::NotLogged];
    settled(m_links.find(session.id));
}

void ServicePort::settled(Links::iterator link)
{
    --link->second.awaited;
    forgetIfOver(link);
}

void ServicePort::end(SessionId session)
{
    const auto link = m_links.find(session);
    if (link == m_links.end())
        return;
    link->second.hasEnded = true;
    forgetIfOver(link);
}

void ServicePort::forgetIfOver(Links::iterator link)
{
    if (link->second.awaited > 0 || !link->second.hasEnded)
        return;
    close(link->second);
    m_links.erase(link);
}

void ServicePort::resume(const SessionInfo &session, std::uint64_t word)
{
    const SocketAddress target = m_settings->targetOf(session.identity);
    const SocketAddress source = SourceAddresses::addressOf(word);
    SourceAddresses &sources = m_shared->sourcesFor(source);
    if (target != SocketAddress() && target.isIPv4() == source.isIPv4() && sources.has(source)) {
        if (open(enter(session, target), source) == 0)
            return;
    }
    // The next datagram gets another one, and no other session this one before it has rested.
    sources.giveBack(source, TimeSource::sinceBoot());
    m_owner.assigned(session.handle(), 0);
}

void ServicePort::rest(std::uint64_t word, SourceAddresses::BootTime ended)
{
    const SocketAddress source = SourceAddresses::addressOf(word);
    m_shared->sourcesFor(source).giveBack(source, ended);
}

bool ServicePort::open(Link &link)
{
    int error = EADDRINUSE;
    for (int i = 0; i < attempts; ++i) {
        const auto source = m_shared->sourcesFor(link.target).next(TimeSource::sinceBoot());
        error = source ? open(link, *source) : EADDRINUSE;
        if (error == 0) {
            m_owner.assigned(link.session, SourceAddresses::wordOf(link.source));
            return true;
        }
        if (error != EADDRINUSE)
            break;
    }
    lose(link, ForwardDrop::NoSource, error);
    return false;
}

/// Returns the error.
int ServicePort::open(Link &link, const SocketAddress &source)
{
    if (m_settings->targets().contains(source))
        return EADDRINUSE; // by a service, or it will be
    auto opened = ServiceSocket::open(source, link.target);
    if (const int *error = std::get_if<int>(&opened))
        return *error;
    ServiceSocket &socket = std::get<ServiceSocket>(opened);
    if (socket.descriptor() >= m_shared->firstSpared)
        return EMFILE;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint64_t>(link.session.id);
    if (epoll_ctl(m_epoll.number(), EPOLL_CTL_ADD, socket.descriptor(), &event) < 0)
        return errno;
    link.socket = std::move(socket);
    link.source = source;
    ++m_statistics.sockets;
    return 0;
}

void ServicePort::close(Link &link)
{
    if (!link.socket.isOpen())
        return;
    link.socket = {};
    m_shared->sourcesFor(link.source).giveBack(link.source, TimeSource::sinceBoot());
    --m_statistics.sockets;
}

/// Made again only when the device has moved: that costs more than to decrypt what it said.
QByteArray ServicePort::headerFor(Link &link, const SessionInfo &session) const
{
    if (m_settings->header() == ForwardOptions::Header::None)
        return {};
    if (link.header.isEmpty() || link.session.path != session.path) {
        link.session = session.handle();
        link.header = proxyHeader(session);
    }
    return link.header;
}

void ServicePort::send(Link &link, const SessionInfo &session, const QByteArray &payload)
{
    const QByteArray header = headerFor(link, session);
    int error = link.socket.send(header, payload);
    if (error == ECONNREFUSED) { // of the datagram before
        lose(link, ForwardDrop::Refused, error);
        error = link.socket.send(header, payload);
    }
    if (error != 0)
        return lose(link, error == ECONNREFUSED ? ForwardDrop::Refused : ForwardDrop::Error, error);
    m_statistics.toService += payload;
    m_shared->health.noteSent(link.target, Clock::now());
}

/// One datagram of each socket that has any: the others are readable in the next turn.
void ServicePort::receive()
{
    std::array<epoll_event, answersPerTurn> ready{};
    const int count = epoll_wait(m_epoll.number(), ready.data(), static_cast<int>(ready.size()), 0);
    const auto events = std::span(ready).first(static_cast<std::size_t>(std::max(count, 0)));
    std::vector<Outbound> answers;
    answers.reserve(events.size());
    for (const epoll_event &event : events) {
        const auto link = m_links.find(SessionId{event.data.u64});
        if (link == m_links.end())
            continue;
        followSettings(link->second);
        if (link->second.socket.isOpen())
            receive(link->second, answers);
    }
    if (!answers.empty())
        m_owner.answered(answers);
    report();
}

void ServicePort::receive(Link &link, std::vector<Outbound> &answers)
{
    auto received = link.socket.receive(m_buffer);
    m_statistics.dropped[ForwardDrop::AnswerQueue] += received.dropped;
    if (received.error == EAGAIN)
        return;
    if (received.error == ECONNREFUSED)
        return lose(link, ForwardDrop::Refused, received.error);
    if (received.error != 0)
        return lose(link, ForwardDrop::Error, received.error);
    m_statistics.fromService += received.payload;
    m_shared->health.noteAnswer(link.target);
    answers.push_back({link.session, std::move(received.payload)});
}

void ServicePort::lose(const Link &link, ForwardDrop cause, int error)
{
    ++m_statistics.dropped[cause];
    m_shared->health.noteLoss(link.target, cause,
                              cause == ForwardDrop::Refused ? QString() : textOf(error));
}

void ServicePort::report()
{
    const Clock::time_point now = Clock::now();
    for (const ServiceEvent &event : m_shared->health.report(now))
        m_owner.told(event);
    const Clock::time_point due = m_shared->health.due();
    if (due != Clock::time_point::max())
        m_timer.start(std::chrono::ceil<std::chrono::milliseconds>(
            std::max(due - now, Clock::duration::zero())));
}

} // namespace dtlsd
