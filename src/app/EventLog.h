// SPDX-License-Identifier: Apache-2.0
//
// EventLog: turns events into log records. Here, and nowhere else, an event gets its wording and
// its fields; app/EventKind.h has its priority and MESSAGE_ID.
#pragma once

#include "app/EventKind.h"
#include "config/Config.h"
#include "config/ConfigChange.h"
#include "core/SocketAddress.h"
#include "dtls/Events.h"
#include "log/LogRecord.h"
#include "log/LogState.h"

#include <QList>
#include <QString>

#include <chrono>
#include <cstdint>
#include <optional>

namespace dtlsd {

struct Started
{
    QString configFile; ///< empty: the embedded defaults
    QList<SocketAddress> addresses;
    int workers = 0;
    qsizetype identities = 0;
    bool isSocketActivated = false; ///< the addresses are those of sockets that systemd passed
};

struct Stopping
{
    QString reason;
    std::int64_t sessions = 0;
};

struct Reloaded
{
    QString configFile; ///< empty: the embedded defaults
    ConfigChange change;
    std::int64_t revoked = 0;      ///< sessions that ended as Revoked; DTLSD_COUNT
    QList<ConfigMessage> warnings; ///< entries of their own
};

/// The old configuration stays in force.
struct ReloadRejected
{
    ConfigMessage error;   ///< the first
    qsizetype further = 0; ///< errors beyond it
};

struct StatisticsTaken
{
    Statistics period; ///< its counters are those of the period
    std::chrono::milliseconds length{};
};

/// What kind of entry an event makes.
template <class Event>
extern const EventKind &kindOf;
template <>
inline constexpr const EventKind &kindOf<Datagram> = kind::datagramReceived;
template <>
inline constexpr const EventKind &kindOf<HandshakeStarted> = kind::handshakeStarted;
template <>
inline constexpr const EventKind &kindOf<SessionOpened> = kind::sessionOpened;
template <>
inline constexpr const EventKind &kindOf<SessionClosed> = kind::sessionClosed;
template <>
inline constexpr const EventKind &kindOf<HandshakeFailed> = kind::handshakeFailed;
template <>
inline constexpr const EventKind &kindOf<PeerMisbehaving> = kind::peerMisbehaving;
template <>
inline constexpr const EventKind &kindOf<IdentityLimited> = kind::identityLimited;
template <>
inline constexpr const EventKind &kindOf<ReplyDropped> = kind::replyDropped;
template <>
inline constexpr const EventKind &kindOf<UnverifiedTraffic> = kind::unverifiedTraffic;
template <>
inline constexpr const EventKind &kindOf<ListenFailed> = kind::listenFailed;
template <>
inline constexpr const EventKind &kindOf<ConfigMessage> = kind::configurationWarning;
template <>
inline constexpr const EventKind &kindOf<Started> = kind::started;
template <>
inline constexpr const EventKind &kindOf<Stopping> = kind::stopping;
template <>
inline constexpr const EventKind &kindOf<Reloaded> = kind::reloaded;
template <>
inline constexpr const EventKind &kindOf<ReloadRejected> = kind::reloadRejected;
template <>
inline constexpr const EventKind &kindOf<Losses> = kind::entriesDropped;
template <>
inline constexpr const EventKind &kindOf<Verifiability> = kind::logUnverifiable;
template <>
inline constexpr const EventKind &kindOf<StatisticsTaken> = kind::statistics;

/// A small value: each thread has its own, and replaces it when the options change.
class EventLog
{
public:
    explicit EventLog(const LogOptions &options)
        : m_options(options)
    {
    }

    /// Whether records of @p kind are wanted at all.
    [[nodiscard]] bool wants(const EventKind &kind) const;

    /// The record of an event, if its kind is wanted; if not, nothing is worded.
    template <class Event>
    [[nodiscard]] std::optional<LogRecord> record(const Event &event) const
    {
        return wants(kindOf<Event>) ? std::optional(describe(event)) : std::nullopt;
    }

    [[nodiscard]] std::optional<LogRecord> record(const ServerEvent &event) const
    {
        return std::visit([this](const auto &value) { return record(value); }, event);
    }

    [[nodiscard]] LogRecord describe(const ServerEvent &event) const;
    [[nodiscard]] LogRecord describe(const Datagram &event) const;
    [[nodiscard]] LogRecord describe(const HandshakeStarted &event) const;
    [[nodiscard]] LogRecord describe(const SessionOpened &event) const;
    [[nodiscard]] LogRecord describe(const SessionClosed &event) const;
    [[nodiscard]] LogRecord describe(const HandshakeFailed &event) const;
    [[nodiscard]] LogRecord describe(const PeerMisbehaving &event) const;
    [[nodiscard]] LogRecord describe(const IdentityLimited &event) const;
    [[nodiscard]] LogRecord describe(const ReplyDropped &event) const;
    [[nodiscard]] LogRecord describe(const UnverifiedTraffic &event) const;
    [[nodiscard]] LogRecord describe(const ListenFailed &event) const;
    [[nodiscard]] LogRecord describe(const ConfigMessage &warning) const;
    [[nodiscard]] LogRecord describe(const Started &event) const;
    [[nodiscard]] LogRecord describe(const Stopping &event) const;
    [[nodiscard]] LogRecord describe(const Reloaded &event) const;
    [[nodiscard]] LogRecord describe(const ReloadRejected &event) const;
    [[nodiscard]] LogRecord describe(const Losses &event) const;
    [[nodiscard]] LogRecord describe(const Verifiability &event) const;
    [[nodiscard]] LogRecord describe(const StatisticsTaken &event) const;

private:
    LogOptions m_options;
};

} // namespace dtlsd
