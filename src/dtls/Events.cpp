// SPDX-License-Identifier: Apache-2.0
#include "dtls/Events.h"

#include <algorithm>
#include <cctype>

namespace dtlsd {

namespace {

// Visit every counter, so that addition and subtraction cannot forget one.

template <class Apply>
void forEachCounter(UnverifiedCounts &to, const UnverifiedCounts &from, Apply apply)
{
    apply(to.malformed, from.malformed);
    apply(to.tooLong, from.tooLong);
    apply(to.withoutSession, from.withoutSession);
    apply(to.unanswered, from.unanswered);
    apply(to.overLimit, from.overLimit);
    apply(to.elsewhere, from.elsewhere);
    apply(to.failures, from.failures);
    apply(to.overflowed, from.overflowed);
}

template <class Enum, class Apply>
void forEachCounter(CountBy<Enum> &to, const CountBy<Enum> &from, Apply apply)
{
    for (std::size_t i = 0; i < to.counts.size(); ++i)
        apply(to.counts[i], from.counts[i]);
}

template <class Apply>
void forEachCounter(Statistics &to, const Statistics &from, Apply apply)
{
    apply(to.sessionsOpened, from.sessionsOpened);
    forEachCounter(to.sessionsClosed, from.sessionsClosed, apply);
    forEachCounter(to.handshakesFailed, from.handshakesFailed, apply);
    apply(to.received.datagrams, from.received.datagrams);
    apply(to.received.bytes, from.received.bytes);
    apply(to.sent.datagrams, from.sent.datagrams);
    apply(to.sent.bytes, from.sent.bytes);
    apply(to.repliesTooLate, from.repliesTooLate);
    apply(to.repliesTooLong, from.repliesTooLong);
    apply(to.repliesUnearned, from.repliesUnearned);
    apply(to.badRecords, from.badRecords);
    apply(to.overRate, from.overRate);
    forEachCounter(to.unverified, from.unverified, apply);
}

void add(std::uint64_t &to, std::uint64_t from)
{
    to += from;
}

void subtract(std::uint64_t &to, std::uint64_t from)
{
    to -= from;
}

} // namespace

std::optional<SessionId> sessionIdIn(QByteArrayView text)
{
    const auto isHexDigit = [](char c) {
        return std::isxdigit(static_cast<unsigned char>(c)) != 0;
    };
    if (text.size() != 16 || !std::all_of(text.begin(), text.end(), isHexDigit))
        return std::nullopt;
    return SessionId{text.toULongLong(nullptr, 16)};
}

QByteArray SessionInfo::idText() const
{
    return QByteArray::number(static_cast<quint64>(id), 16).rightJustified(16, '0');
}

Statistics &Statistics::operator+=(const Statistics &other)
{
    forEachCounter(*this, other, add);
    sessions += other.sessions;
    halfOpen += other.halfOpen;
    return *this;
}

Statistics Statistics::since(const Statistics &before) const
{
    Statistics difference = *this;
    forEachCounter(difference, before, subtract);
    return difference;
}

UnverifiedCounts UnverifiedCounts::since(const UnverifiedCounts &before) const
{
    UnverifiedCounts difference = *this;
    forEachCounter(difference, before, subtract);
    return difference;
}

} // namespace dtlsd
