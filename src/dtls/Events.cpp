// SPDX-License-Identifier: Apache-2.0
#include "dtls/Events.h"

namespace dtlsd {

namespace {

/// The counters, so that sum and difference cannot forget one.
template <class Apply>
void forEachCounter(Statistics &to, const Statistics &from, Apply apply)
{
    apply(to.sessionsOpened, from.sessionsOpened);
    apply(to.sessionsClosed, from.sessionsClosed);
    apply(to.handshakesFailed, from.handshakesFailed);
    apply(to.received.datagrams, from.received.datagrams);
    apply(to.received.bytes, from.received.bytes);
    apply(to.sent.datagrams, from.sent.datagrams);
    apply(to.sent.bytes, from.sent.bytes);
    apply(to.badRecords, from.badRecords);
    apply(to.overflowed, from.overflowed);
    apply(to.unverified, from.unverified);
}

} // namespace

SessionInfo::SessionInfo(SessionId sessionId, const Path &sessionPath)
    : id(sessionId)
    , path(sessionPath)
{
    const QByteArray digits = QByteArray::number(static_cast<quint64>(id), 16);
    text = std::make_shared<const SessionText>(
        SessionText{digits.rightJustified(16, '0'), path.peer.toString().toUtf8(),
                    path.peer.addressText().toUtf8(), QByteArray::number(path.peer.port()),
                    path.local.toString().toUtf8()});
}

Statistics &Statistics::operator+=(const Statistics &other)
{
    forEachCounter(*this, other, [](std::uint64_t &to, std::uint64_t from) { to += from; });
    sessions += other.sessions;
    halfOpen += other.halfOpen;
    return *this;
}

Statistics Statistics::since(const Statistics &before) const
{
    Statistics difference = *this;
    forEachCounter(difference, before, [](std::uint64_t &to, std::uint64_t from) { to -= from; });
    return difference;
}

} // namespace dtlsd
