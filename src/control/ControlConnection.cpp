// SPDX-License-Identifier: Apache-2.0
#include "control/ControlConnection.h"

#include "control/StateJson.h"

#include <QPointer>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace dtlsd {

ControlConnection::ControlConnection(Descriptor descriptor, const ControlServer::Answer &answer,
                                     const ControlServer::Limits &limits, QObject *parent)
    : QObject(parent)
    , m_descriptor(std::move(descriptor))
    , m_answer(answer)
    , m_limits(limits)
    , m_readable(m_descriptor.number(), QSocketNotifier::Read)
    , m_writable(m_descriptor.number(), QSocketNotifier::Write)
{
    m_writable.setEnabled(false);
    connect(&m_readable, &QSocketNotifier::activated, this, &ControlConnection::read);
    connect(&m_writable, &QSocketNotifier::activated, this, &ControlConnection::goOn);
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, &ControlConnection::giveUp);
    m_patience.start(m_limits.patience);
}

void ControlConnection::refuse(const char *code, const QString &error)
{
    reply(refusalLine(code, error));
}

void ControlConnection::read()
{
    const qsizetype before = m_request.size();
    m_request.resize(m_limits.request);
    const ssize_t size = ::recv(m_descriptor.number(), m_request.data() + before,
                                static_cast<std::size_t>(m_limits.request - before), MSG_DONTWAIT);
    m_request.truncate(before + std::max<ssize_t>(size, 0));
    if (size < 0 && errno == EAGAIN)
        return;
    if (const qsizetype end = m_request.indexOf('\n'); end >= 0)
        ask(m_request.first(end));
    else if (m_request.size() == m_limits.request)
        refuse("bad-request", QStringLiteral("the request is too long; a line of at most %1 bytes "
                                             "is accepted")
                                  .arg(m_limits.request));
    else if (size <= 0)
        refuse("bad-request", QStringLiteral("the request does not end with a line feed"));
}

void ControlConnection::ask(const QByteArray &request)
{
    m_readable.setEnabled(false); // one connection, one request
    m_state = State::Waiting;
    m_patience.start(m_limits.patience);
    m_answer(request, Reply([self = QPointer(this)](const QByteArray &lines, const auto &more) {
                 if (self && self->m_state == State::Waiting)
                     self->reply(lines, more);
             }));
}

bool ControlConnection::isSilent() const
{
    return m_state == State::Asking && !hasEvent(POLLIN);
}

bool ControlConnection::isAbandoned() const
{
    return hasEvent(POLLHUP | POLLERR);
}

bool ControlConnection::hasEvent(short events) const
{
    pollfd client{m_descriptor.number(), events, 0};
    return ::poll(&client, 1, 0) > 0 && (client.revents & events) != 0;
}

void ControlConnection::reply(const QByteArray &lines, const Reply::More &more)
{
    m_readable.setEnabled(false);
    m_state = State::Answering;
    m_patience.start(m_limits.patience);
    m_unsent = lines;
    m_more = more;
    write();
}

/// The client has room: for the rest of a part or, in a turn of its own, for the next one.
void ControlConnection::goOn()
{
    if (!m_unsent.isEmpty())
        return write();
    m_writable.setEnabled(false);
    m_state = State::Waiting;
    m_patience.start(m_limits.patience);
    std::exchange(m_more, {})();
}

void ControlConnection::write()
{
    const ssize_t size =
        ::send(m_descriptor.number(), m_unsent.constData(),
               static_cast<std::size_t>(m_unsent.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    const bool isGone = size < 0 && errno != EAGAIN;
    m_unsent.remove(0, std::max<ssize_t>(size, 0));
    m_writable.setEnabled((!m_unsent.isEmpty() || m_more) && !isGone);
    if (!m_writable.isEnabled())
        end();
}

void ControlConnection::giveUp()
{
    if (m_state == State::Asking)
        refuse("timeout", QStringLiteral("no request came in time; a line is accepted"));
    else if (m_state == State::Waiting && !isAbandoned())
        m_patience.start(m_limits.patience);
    else
        end();
}

void ControlConnection::end()
{
    // Reads surplus input: closing with unread data gives the client ECONNRESET, and it might not
    // look at its answer then.
    m_request.resize(m_limits.request);
    static_cast<void>(::recv(m_descriptor.number(), m_request.data(),
                             static_cast<std::size_t>(m_limits.request), MSG_DONTWAIT));
    m_state = State::Ended;
    m_more = {};
    m_writable.setEnabled(false);
    m_patience.stop();
    deleteLater();
}

} // namespace dtlsd
