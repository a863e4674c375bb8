// SPDX-License-Identifier: Apache-2.0
#include "core/Escape.h"
#include "core/Quantity.h"
#include "dtls/Events.h"
#include "dtls/Psk.h"
#include "events/Entry.h"
#include "events/EventLog.h"
#include "events/Reasons.h"
#include "events/Remedy.h"
#include "wire/ClientHello.h"

#include <QStringList>

namespace dtlsd {

namespace {

constexpr char proved[] = "DTLSD_IDENTITY";
constexpr char claimed[] = "DTLSD_CLAIMED_IDENTITY";

/// `sensor-17 (192.0.2.7:5683)`
QString who(const SessionInfo &session)
{
    return QStringLiteral("%1 (%2)").arg(escapedName(session.identity),
                                         session.path.peer.toString());
}

/// `: handshake_failure (40)`; empty without an alert.
QString suffix(const std::optional<Alert> &alert)
{
    return alert ? QStringLiteral(": ") + QString::fromLatin1(alert->text()) : QString();
}

/// `2 datagrams (32 bytes)`
QString amount(const Traffic &traffic)
{
    return QStringLiteral("%1 (%2)").arg(counted(traffic.datagrams, "datagram"),
                                         counted(traffic.bytes, "byte"));
}

/// At most as many characters as escaped() leaves.
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
    return counted(payload.size(), "byte");
}

} // namespace

template <>
struct Entry<HandshakeStarted>
{
    static constexpr EventKind kind{"handshake-started", "88d8d8d4cf704aeead22dd9f3422c237",
                                    Priority::Debug};

    static void write(RecordBuilder &entry, const HandshakeStarted &event)
    {
        entry
            .message(
                QStringLiteral("%1: handshake started").arg(event.session.path.peer.toString()))
            .session(event.session, claimed);
    }
};

template <>
struct Entry<HandshakeFailed>
{
    static constexpr EventKind kind{"handshake-failed", "3690a0803cdd4ff58ce0207a88a8693b",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const HandshakeFailed &event)
    {
        const Reason reason = reasonFor(event.reason);
        const QString peer = event.session.path.peer.toString();
        const QString who = event.session.hasIdentity()
                                ? QStringLiteral("%1, claiming to be %2")
                                      .arg(peer, escapedName(event.session.identity))
                                : peer;
        entry
            .message(QStringLiteral("%1: handshake failed: %2%3%4")
                         .arg(who, QLatin1String(reason.text), suffix(event.alert),
                              remedyFor(event.offered, event.ciphers)))
            .session(event.session, claimed)
            .text("DTLSD_REASON", QLatin1String(reason.name))
            .alert(event.alert);
    }
};

template <>
struct Entry<SessionOpened>
{
    static constexpr EventKind kind{"session-opened", "cc88e034c7f346358968c1298ce41b01",
                                    Priority::Info};

    static void write(RecordBuilder &entry, const SessionOpened &event)
    {
        entry
            .message(QStringLiteral("%1: session opened with %2%3 in %4")
                         .arg(who(event.session), QString::fromLatin1(event.session.cipher.text()),
                              event.withNextKey ? QStringLiteral(" and next_key") : QString(),
                              inWords(event.took)))
            .session(event.session, proved)
            .duration(event.took);
        if (const auto &id = event.session.connectionId)
            entry.text("DTLSD_CONNECTION_ID", id->text());
    }
};

template <>
struct Entry<SessionMoved>
{
    static constexpr EventKind kind{"session-moved", "f175866458ec4449af2bb07d92938f5b",
                                    Priority::Info};

    static void write(RecordBuilder &entry, const SessionMoved &event)
    {
        entry
            .message(
                QStringLiteral("%1: moved here from %2; the path is %3")
                    .arg(who(event.session), event.former.toString(),
                         event.isProved ? QStringLiteral("proved") : QStringLiteral("not proved")))
            .session(event.session, proved)
            .text("DTLSD_FORMER_ADDRESS", QLatin1String(event.former.addressUtf8()))
            .number("DTLSD_FORMER_PORT", event.former.port())
            .text("DTLSD_PATH",
                  event.isProved ? QStringLiteral("proved") : QStringLiteral("not-proved"))
            .number("DTLSD_COUNT", event.moves);
    }
};

template <>
struct Entry<SessionClosed>
{
    static constexpr EventKind kind{"session-closed", "25c6d8575c5e46b0b06212a095801fe5",
                                    Priority::Info};

    static void write(RecordBuilder &entry, const SessionClosed &event)
    {
        const Reason reason = reasonFor(event.reason);
        entry
            .message(QStringLiteral("%1: session closed after %2, %3 received, %4 sent: %5%6")
                         .arg(who(event.session), inWords(event.lasted), amount(event.received),
                              amount(event.sent), QLatin1String(reason.text), suffix(event.alert)))
            .session(event.session, proved)
            .text("DTLSD_REASON", QLatin1String(reason.name))
            .alert(event.alert)
            .duration(event.lasted)
            .number("DTLSD_COUNT", event.received.datagrams)
            .traffic(event.received, event.sent);
    }
};

template <>
struct Entry<Datagram>
{
    static constexpr EventKind kind{"datagram-received", "78ffa1ce448c4c8db944f0c092889e8b",
                                    Priority::Info};

    static void write(RecordBuilder &entry, const Datagram &event, const LogOptions &options)
    {
        entry.message(QStringLiteral("%1: %2").arg(who(event.session),
                                                   payloadText(event.payload, options.payload)));
        entry.session(event.session, proved)
            .number("DTLSD_SEQUENCE", event.sequence)
            .number("DTLSD_PAYLOAD_SIZE", event.payload.size());
        if (options.payload != PayloadFormat::None)
            entry.bytes("DTLSD_PAYLOAD", event.payload);
        if (!event.ciphertext.isEmpty())
            entry.bytes("DTLSD_CIPHERTEXT", event.ciphertext.toHex());
    }
};

template <>
struct Entry<PeerMisbehaving>
{
    static constexpr EventKind kind{"peer-misbehaving", "8654a2e39c80490d8585a1e60d643d80",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const PeerMisbehaving &event)
    {
        entry
            .message(QStringLiteral("%1: %2 dropped: forged, repeated or incomplete; if there "
                                    "are many, look at the path to the device")
                         .arg(who(event.session), counted(event.badRecords, "record")))
            .session(event.session, proved)
            .number("DTLSD_COUNT", event.badRecords);
    }
};

template <>
struct Entry<IdentityLimited>
{
    static constexpr EventKind kind{"identity-limited", "cf7b2d1be4f84ea3a1c4be83b1fc3c59",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const IdentityLimited &event)
    {
        const bool isWildcard = event.account == PskStore::wildcardAccount();
        entry.message(
            QStringLiteral(
                "%1: %2 dropped, over datagrams_per_second = %3; they are neither logged nor "
                "acknowledged")
                .arg(isWildcard ? QStringLiteral("[identity *]") : escaped(event.account),
                     counted(event.datagrams, "datagram"))
                .arg(event.perSecond));
        if (!isWildcard)
            entry.bytes("DTLSD_IDENTITY", event.account);
        entry.number("DTLSD_COUNT", event.datagrams);
    }
};

template <>
struct Entry<ReplyDropped>
{
    static constexpr EventKind kind{"reply-dropped", "974210c361734ddc987478cc8ca4f768",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const ReplyDropped &event)
    {
        entry
            .message(QStringLiteral("%1: %2 not sent: of %3, and the device takes %4 at most "
                                    "(max_fragment_length); make its reply, or its service's "
                                    "answer, shorter")
                         .arg(who(event.session), counted(event.replies, "reply", "replies"),
                              counted(event.size, "byte"))
                         .arg(event.limit))
            .session(event.session, proved)
            .number("DTLSD_COUNT", event.replies);
    }
};

template <>
struct Entry<UnverifiedTraffic>
{
    static constexpr EventKind kind{"unverified-traffic", "1fc1882f3ecb4050a5543d3f1eae9b96",
                                    Priority::Warning};

    static void write(RecordBuilder &entry, const UnverifiedTraffic &event)
    {
        static_assert(ClientHello::maximumSize == 4096);
        const std::pair<std::uint64_t, const char *> causes[]{
            {event.malformed, "not DTLS"},
            {event.tooLong, "hellos longer than 4096 bytes"},
            {event.withoutSession, "for a session that is not there"},
            {event.unanswered, "hellos that did not come back with their cookie"},
            {event.overLimit, "hellos over a limit"},
            {event.elsewhere, "with a session's connection ID from elsewhere, and forged, not "
                              "allowed there or too many"},
            {event.failures, "further failed handshakes"},
            {event.overflowed,
             "dropped by the kernel, as the receive buffer was full; raise [server] "
             "receive_buffer"}};
        QStringList parts;
        for (const auto &[count, cause] : causes) {
            if (count > 0)
                parts += QStringLiteral("%1 %2").arg(count).arg(QLatin1String(cause));
        }
        entry
            .message(QStringLiteral("%1 from unproved sources in %2: %3")
                         .arg(counted(event.total(), "datagram"), inWords(event.period),
                              parts.join(u", ")))
            .duration(event.period)
            .number("DTLSD_COUNT", event.total());
    }
};

template <>
struct Entry<ListenFailed>
{
    static constexpr EventKind kind{"listen-failed", "7189f00f333f4a3fb8d9ace117907633",
                                    Priority::Error};

    static void write(RecordBuilder &entry, const ListenFailed &event)
    {
        entry.message(event.reason).text("DTLSD_LOCAL_ADDRESS", event.address.toString());
    }
};

bool EventLog::wantsDatagrams() const
{
    return wants(Entry<Datagram>::kind);
}

LogRecord EventLog::describe(const Datagram &event) const
{
    return recordOf(event, m_options);
}

LogRecord EventLog::describe(const ServerEvent &event) const
{
    return recordOf(event, m_options);
}

const EventKind &EventLog::kindOf(const Datagram &)
{
    return Entry<Datagram>::kind;
}

const EventKind &EventLog::kindOf(const ServerEvent &event)
{
    return kindIn(event);
}

std::vector<EventKind> serverKinds()
{
    std::vector<EventKind> kinds = KindsOf<ServerEvent>::all;
    kinds.push_back(Entry<Datagram>::kind);
    return kinds;
}

} // namespace dtlsd
