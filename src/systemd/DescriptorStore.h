// SPDX-License-Identifier: Apache-2.0
//
// Descriptors from systemd: sockets that it has bound (sd_listen_fds(3)), and those that an earlier
// process of this service has left in the service manager's store (FDSTORE=1 in sd_notify(3)).
#pragma once

#include "core/Result.h"

#include <QByteArray>

#include <chrono>
#include <cstddef>
#include <vector>

namespace dtlsd {

/// What the names of stored descriptors begin with. A socket unit must not use it in
/// FileDescriptorName=.
inline constexpr char keptPrefix[] = "dtlsd-kept-";

struct KeptDescriptor
{
    QByteArray name; // with the prefix
    int number = -1;
};

struct PassedDescriptors
{
    std::vector<int> sockets;         ///< UDP sockets, in the order of the socket unit
    std::vector<KeptDescriptor> kept; ///< not looked at; in no order
};

/// The descriptors passed to this process; none if it was started by hand. They are close-on-exec,
/// and the caller closes them. This removes the variables from the environment, so it is called
/// once, before any thread starts. The error names a descriptor that is neither kept nor a UDP
/// socket, and what is accepted.
Result<PassedDescriptors> passedDescriptors();

/// Keeps descriptors in the service manager's store until the service is stopped. Whether there is
/// room for one, FileDescriptorStoreMax=, the service manager does not say (see OwnUnit).
class DescriptorStore
{
public:
    /// Whether a service manager listens to this process ($NOTIFY_SOCKET).
    [[nodiscard]] static bool isThere();

    /// How many descriptors it keeps at most ($FDSTORE, since systemd 254); the greatest number if
    /// it does not say.
    [[nodiscard]] static std::size_t most();

    /// Stores a duplicate of @p descriptor as @p name: keptPrefix and then printable ASCII without
    /// a colon, at most 255 bytes in all. The service manager never drops it by itself, whatever
    /// happens to the descriptor. A success says only that the request was sent.
    Result<> keep(const QByteArray &name, int descriptor) const;
    /// Closes the service manager's duplicates of that name.
    void forget(const QByteArray &name) const;
    /// Waits until the service manager has handled everything sent before.
    Result<> barrier(std::chrono::milliseconds patience) const;
};

} // namespace dtlsd
