// SPDX-License-Identifier: Apache-2.0
//
// The kinds of entries that dtlsd writes: name, MESSAGE_ID and priority. Each has an entry in
// packaging/systemd/dtlsd.catalog. Operators filter by all three, so they never change.
#pragma once

#include "log/LogRecord.h"

#include <array>

namespace dtlsd {

struct EventKind
{
    const char *name;
    const char *messageId;
    Priority priority;
};

namespace kind {

inline constexpr EventKind started{"started", "4f7cadc1a03848c7ac4d417f1fb8f0d2", Priority::Notice};
inline constexpr EventKind stopping{"stopping", "fbf8b8c61b1a40c58b82ecc682da8512",
                                    Priority::Notice};
inline constexpr EventKind reloaded{"reloaded", "560e07700cdc4ad7b2a593daa2b0fe9b",
                                    Priority::Notice};
inline constexpr EventKind reloadRejected{"reload-rejected", "f89df71487074acda91a38e54bf08889",
                                          Priority::Error};
inline constexpr EventKind listenFailed{"listen-failed", "7189f00f333f4a3fb8d9ace117907633",
                                        Priority::Error};
inline constexpr EventKind configurationWarning{
    "configuration-warning", "7187ad447dc94929a8c31612df49292c", Priority::Warning};
inline constexpr EventKind handshakeStarted{"handshake-started", "88d8d8d4cf704aeead22dd9f3422c237",
                                            Priority::Debug};
inline constexpr EventKind handshakeFailed{"handshake-failed", "3690a0803cdd4ff58ce0207a88a8693b",
                                           Priority::Warning};
inline constexpr EventKind sessionOpened{"session-opened", "cc88e034c7f346358968c1298ce41b01",
                                         Priority::Info};
inline constexpr EventKind sessionClosed{"session-closed", "25c6d8575c5e46b0b06212a095801fe5",
                                         Priority::Info};
inline constexpr EventKind datagramReceived{"datagram-received", "78ffa1ce448c4c8db944f0c092889e8b",
                                            Priority::Info};
inline constexpr EventKind peerMisbehaving{"peer-misbehaving", "8654a2e39c80490d8585a1e60d643d80",
                                           Priority::Warning};
inline constexpr EventKind identityLimited{"identity-limited", "cf7b2d1be4f84ea3a1c4be83b1fc3c59",
                                           Priority::Warning};
inline constexpr EventKind replyDropped{"reply-dropped", "974210c361734ddc987478cc8ca4f768",
                                        Priority::Warning};
inline constexpr EventKind unverifiedTraffic{"unverified-traffic",
                                             "1fc1882f3ecb4050a5543d3f1eae9b96", Priority::Warning};
inline constexpr EventKind entriesDropped{"entries-dropped", "506c63730c434945b2e0206d9a87f7c6",
                                          Priority::Warning};
inline constexpr EventKind logUnverifiable{"log-unverifiable", "b7cc02536c6d4636a64720f9d92251e9",
                                           Priority::Warning};
inline constexpr EventKind statistics{"statistics", "e135c23185ef404ab243e105d7a0980d",
                                      Priority::Info};

inline constexpr std::array all{started,          stopping,         reloaded,
                                reloadRejected,   listenFailed,     configurationWarning,
                                handshakeStarted, handshakeFailed,  sessionOpened,
                                sessionClosed,    datagramReceived, peerMisbehaving,
                                identityLimited,  replyDropped,     unverifiedTraffic,
                                entriesDropped,   logUnverifiable,  statistics};

} // namespace kind

} // namespace dtlsd
