// SPDX-License-Identifier: Apache-2.0
#include "app/EventLog.h"

#include "app/Reasons.h"
#include "app/RecordBuilder.h"
#include "app/Remedy.h"
#include "core/ClientHello.h"
#include "core/Escape.h"
#include "core/Quantity.h"
#include "core/Version.h"

#include <QStringList>

namespace dtlsd {

namespace {

constexpr char proved[] = "DTLSD_IDENTITY";
constexpr char claimed[] = "DTLSD_CLAIMED_IDENTITY";

/// `sensor-17`, or `""`
QString named(const QByteArray &identity)
{
    return identity.isEmpty() ? QStringLiteral("\"\"") : escaped(identity);
}

/// `sensor-17 (192.0.2.7:5683)`
QString who(const SessionInfo &session)
{
    return QStringLiteral("%1 (%2)").arg(named(session.identity),
                                         QString::fromUtf8(session.text().peer));
}

/// `: handshake_failure (40)`; nothing without an alert.
QString suffix(const std::optional<Alert> &alert)
{
    return alert ? QStringLiteral(": ") + QString::fromLatin1(alert->text()) : QString();
}

QString plural(std::uint64_t count, const char *noun)
{
    return QStringLiteral("%1 %2%3").arg(count).arg(
        QLatin1String(noun), count == 1 ? QLatin1String() : QLatin1String("s"));
}

/// `0.4 ms`, `12.0 ms`, `90.5 s`
QString duration(std::chrono::microseconds time)
{
    const double milliseconds = static_cast<double>(time.count()) / 1000;
    return time < std::chrono::seconds(1)
               ? QStringLiteral("%1 ms").arg(milliseconds, 0, 'f', 1)
               : QStringLiteral("%1 s").arg(milliseconds / 1000, 0, 'f', 1);
}

/// `2 datagrams (32 bytes)`
QString amount(const Traffic &traffic)
{
    return QStringLiteral("%1 (%2)").arg(plural(traffic.datagrams, "datagram"),
                                         plural(traffic.bytes, "byte"));
}

/// As long as escaped() would leave it.
QString hexText(QByteArrayView payload)
{
    constexpr qsizetype shown = 128;
    const QString digits =
        QString::fromLatin1(payload.first(qMin(payload.size(), shown)).toByteArray().toHex());
    return payload.size() > shown ? digits + u'…' : digits;
}

QString payloadText(const QByteArray &payload, PayloadFormat format)
{
    switch (format) {
    case PayloadFormat::Text:
        return escaped(payload);
    case PayloadFormat::Hex:
        return hexText(payload);
    case PayloadFormat::None:
        break;
    }
    return plural(static_cast<std::uint64_t>(payload.size()), "byte");
}

} // namespace

bool EventLog::wants(const EventKind &kind) const
{
    return static_cast<int>(kind.priority) <= static_cast<int>(m_options.level);
}

LogRecord EventLog::describe(const ServerEvent &event) const
{
    return std::visit([this](const auto &value) { return describe(value); }, event);
}

LogRecord EventLog::describe(const Datagram &event) const
{
    RecordBuilder builder(kindOf<Datagram>,
                          QStringLiteral("%1: %2").arg(
                              who(event.session), payloadText(event.payload, m_options.payload)));
    builder.session(event.session, proved)
        .number("DTLSD_SEQUENCE", event.sequence)
        .number("DTLSD_PAYLOAD_SIZE", event.payload.size());
    if (m_options.payload != PayloadFormat::None)
        builder.bytes("DTLSD_PAYLOAD", event.payload);
    if (!event.ciphertext.isEmpty())
        builder.bytes("DTLSD_CIPHERTEXT", event.ciphertext.toHex());
    return builder.take();
}

LogRecord EventLog::describe(const HandshakeStarted &event) const
{
    return RecordBuilder(kindOf<HandshakeStarted>,
                         QStringLiteral("%1: handshake started")
                             .arg(QString::fromUtf8(event.session.text().peer)))
        .session(event.session, claimed)
        .take();
}

LogRecord EventLog::describe(const SessionOpened &event) const
{
    return RecordBuilder(kindOf<SessionOpened>,
                         QStringLiteral("%1: session opened with %2%3 in %4")
                             .arg(who(event.session), QString::fromLatin1(event.session.cipher),
                                  event.withNextKey ? QStringLiteral(" and next_key") : QString(),
                                  duration(event.took)))
        .session(event.session, proved)
        .duration(event.took)
        .take();
}

LogRecord EventLog::describe(const SessionClosed &event) const
{
    const Reason reason = reasonFor(event.reason);
    return RecordBuilder(kindOf<SessionClosed>,
                         QStringLiteral("%1: session closed after %2, %3 received, %4 sent: %5%6")
                             .arg(who(event.session), duration(event.lasted),
                                  amount(event.received), amount(event.sent),
                                  QLatin1String(reason.text), suffix(event.alert)))
        .session(event.session, proved)
        .text("DTLSD_REASON", QLatin1String(reason.name))
        .alert(event.alert)
        .duration(event.lasted)
        .number("DTLSD_COUNT", event.received.datagrams)
        .traffic(event.received, event.sent)
        .take();
}

LogRecord EventLog::describe(const HandshakeFailed &event) const
{
    const Reason reason = reasonFor(event.reason);
    const QString peer = QString::fromUtf8(event.session.text().peer);
    const QString who =
        event.session.hasIdentity()
            ? QStringLiteral("%1, claiming to be %2").arg(peer, named(event.session.identity))
            : peer;
    return RecordBuilder(kindOf<HandshakeFailed>,
                         QStringLiteral("%1: handshake failed: %2%3%4")
                             .arg(who, QLatin1String(reason.text), suffix(event.alert),
                                  remedyFor(event.offered, event.ciphers)))
        .session(event.session, claimed)
        .text("DTLSD_REASON", QLatin1String(reason.name))
        .alert(event.alert)
        .take();
}

LogRecord EventLog::describe(const PeerMisbehaving &event) const
{
    return RecordBuilder(kindOf<PeerMisbehaving>,
                         QStringLiteral("%1: %2 dropped: forged, repeated or incomplete; if there "
                                        "are many, look at the path to the device")
                             .arg(who(event.session), plural(event.badRecords, "record")))
        .session(event.session, proved)
        .number("DTLSD_COUNT", event.badRecords)
        .take();
}

LogRecord EventLog::describe(const IdentityLimited &event) const
{
    const bool isWildcard = event.account == PskStore::wildcardAccount();
    RecordBuilder builder(
        kindOf<IdentityLimited>,
        QStringLiteral(
            "%1: %2 dropped, over datagrams_per_second = %3; they are neither logged nor "
            "acknowledged")
            .arg(isWildcard ? QStringLiteral("[identity *]") : escaped(event.account),
                 plural(event.datagrams, "datagram"))
            .arg(event.perSecond));
    if (!isWildcard)
        builder.bytes("DTLSD_IDENTITY", event.account);
    return builder.number("DTLSD_COUNT", event.datagrams).take();
}

LogRecord EventLog::describe(const ReplyDropped &event) const
{
    return RecordBuilder(kindOf<ReplyDropped>,
                         QStringLiteral("%1: %2 not sent: of %3, and the device takes %4 at most "
                                        "(max_fragment_length); make its reply shorter")
                             .arg(who(event.session),
                                  event.replies == 1
                                      ? QStringLiteral("1 reply")
                                      : QStringLiteral("%1 replies").arg(event.replies),
                                  plural(static_cast<std::uint64_t>(event.size), "byte"))
                             .arg(event.limit))
        .session(event.session, proved)
        .number("DTLSD_COUNT", event.replies)
        .take();
}

LogRecord EventLog::describe(const UnverifiedTraffic &event) const
{
    static_assert(ClientHello::maximumSize == 4096);
    const std::pair<std::uint64_t, const char *> causes[]{
        {event.malformed, "not DTLS"},
        {event.tooLong, "hellos longer than 4096 bytes"},
        {event.withoutSession, "for a session that is not there"},
        {event.unanswered, "hellos that did not come back with their cookie"},
        {event.overLimit, "hellos over a limit"},
        {event.failures, "further failed handshakes"},
        {event.overflowed, "dropped by the kernel, as the receive buffer was full; raise [server] "
                           "receive_buffer"}};
    QStringList parts;
    for (const auto &[count, cause] : causes) {
        if (count > 0)
            parts += QStringLiteral("%1 %2").arg(count).arg(QLatin1String(cause));
    }
    return RecordBuilder(kindOf<UnverifiedTraffic>,
                         QStringLiteral("%1 from unproved sources in %2: %3")
                             .arg(plural(event.total(), "datagram"), duration(event.period),
                                  parts.join(u", ")))
        .duration(event.period)
        .number("DTLSD_COUNT", event.total())
        .take();
}

LogRecord EventLog::describe(const ListenFailed &event) const
{
    return RecordBuilder(kindOf<ListenFailed>, event.reason)
        .text("DTLSD_LOCAL_ADDRESS", event.address.toString())
        .take();
}

LogRecord EventLog::describe(const ConfigMessage &warning) const
{
    return RecordBuilder(kindOf<ConfigMessage>, warning.toString()).place(warning).take();
}

LogRecord EventLog::describe(const Started &event) const
{
    RecordBuilder builder(
        kindOf<Started>,
        QStringLiteral("dtlsd %1 listens on %2%3 with %4 for %5")
            .arg(version, toString(event.addresses),
                 event.isSocketActivated ? QStringLiteral(" (passed by systemd)") : QString(),
                 plural(static_cast<std::uint64_t>(event.workers), "worker"),
                 event.identities == 1 ? QStringLiteral("1 identity")
                                       : QStringLiteral("%1 identities").arg(event.identities)));
    builder.text("DTLSD_LOCAL_ADDRESS", toString(event.addresses));
    if (!event.configFile.isEmpty())
        builder.text("DTLSD_CONFIG_FILE", event.configFile);
    return builder.take();
}

LogRecord EventLog::describe(const Stopping &event) const
{
    return RecordBuilder(kindOf<Stopping>,
                         QStringLiteral("stopping on %1; %2 to close")
                             .arg(event.reason,
                                  plural(static_cast<std::uint64_t>(event.sessions), "session")))
        .text("DTLSD_REASON", event.reason)
        .number("DTLSD_COUNT", event.sessions)
        .take();
}

LogRecord EventLog::describe(const Reloaded &event) const
{
    const QString revoked =
        event.revoked == 0 ? QString()
                           : QStringLiteral("; %1 revoked")
                                 .arg(plural(static_cast<std::uint64_t>(event.revoked), "session"));
    RecordBuilder builder(
        kindOf<Reloaded>,
        QStringLiteral("configuration reloaded: %1%2").arg(event.change.toString(), revoked));
    builder.number("DTLSD_COUNT", event.revoked);
    if (!event.configFile.isEmpty())
        builder.text("DTLSD_CONFIG_FILE", event.configFile);
    return builder.take();
}

LogRecord EventLog::describe(const ReloadRejected &event) const
{
    const QString further =
        event.further > 0
            ? QStringLiteral("; %1, see dtlsd --check")
                  .arg(plural(static_cast<std::uint64_t>(event.further), "further error"))
            : QString();
    return RecordBuilder(kindOf<ReloadRejected>, QStringLiteral("configuration not reloaded: %1%2")
                                                     .arg(event.error.toString(), further))
        .place(event.error)
        .take();
}

LogRecord EventLog::describe(const Losses &event) const
{
    QStringList causes;
    if (event.crowdedOut > 0)
        causes += QStringLiteral("%1 for want of room in [log] queue").arg(event.crowdedOut);
    if (event.refused > 0)
        causes += QStringLiteral("%1 not kept by the log").arg(event.refused);
    return RecordBuilder(kindOf<Losses>,
                         QStringLiteral("%1 lost (%2); datagrams among them got no receipt; check "
                                        "journald, or what reads our output, and its disk")
                             .arg(event.total() == 1
                                      ? QStringLiteral("1 entry was")
                                      : QStringLiteral("%1 entries were").arg(event.total()),
                                  causes.join(u", ")))
        .number("DTLSD_COUNT", event.total())
        .take();
}

LogRecord EventLog::describe(const Verifiability &event) const
{
    const bool isReadable = event.obstacle.empty();
    const QString message =
        isReadable
            ? QStringLiteral("entries can be read back from the journal again, after %1; %2 "
                             "meanwhile could not be acknowledged")
                  .arg(duration(event.lasted),
                       event.unverified == 1 ? QStringLiteral("1 entry")
                                             : QStringLiteral("%1 entries").arg(event.unverified))
            : QStringLiteral("entries cannot be read back from the journal, so datagrams get no "
                             "receipt: %1")
                  .arg(QString::fromStdString(event.obstacle));
    return RecordBuilder(kindOf<Verifiability>, message)
        .text("DTLSD_REASON",
              isReadable ? QStringLiteral("readable") : QStringLiteral("unreadable"))
        .duration(event.lasted)
        .number("DTLSD_COUNT", event.unverified)
        .take();
}

LogRecord EventLog::describe(const StatisticsTaken &event) const
{
    const Statistics &period = event.period;
    const QString overflowed =
        period.unverified.overflowed == 0
            ? QString()
            : QStringLiteral(", %1 dropped by the kernel").arg(period.unverified.overflowed);
    return RecordBuilder(kindOf<StatisticsTaken>,
                         QStringLiteral("%1 open, %2 half-open; in the last %3: %4 opened, %5 "
                                        "closed, %6 failed, %7 received, %8 replies sent%9")
                             .arg(plural(static_cast<std::uint64_t>(period.sessions), "session"))
                             .arg(period.halfOpen)
                             .arg(formatDuration(event.length))
                             .arg(period.sessionsOpened)
                             .arg(period.sessionsClosed.total())
                             .arg(period.handshakesFailed.total())
                             .arg(plural(period.received.datagrams, "datagram"),
                                  QString::number(period.sent.datagrams), overflowed))
        .duration(event.length)
        .number("DTLSD_SESSIONS", period.sessions)
        .number("DTLSD_HALF_OPEN", period.halfOpen)
        .number("DTLSD_SESSIONS_OPENED", period.sessionsOpened)
        .number("DTLSD_SESSIONS_CLOSED", period.sessionsClosed.total())
        .number("DTLSD_HANDSHAKES_FAILED", period.handshakesFailed.total())
        .number("DTLSD_COUNT", period.received.datagrams)
        .traffic(period.received, period.sent)
        .number("DTLSD_BAD_RECORDS", period.badRecords)
        .number("DTLSD_KERNEL_DROPS", period.unverified.overflowed)
        .number("DTLSD_UNVERIFIED", period.unverified.total())
        .take();
}

} // namespace dtlsd
