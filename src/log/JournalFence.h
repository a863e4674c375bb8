// SPDX-License-Identifier: Apache-2.0
//
// JournalFence: tells when systemd-journald has processed everything sent to it so far.
//
// journald reads one queue in order and finishes a datagram before it reads the next. The fence is
// an empty datagram, which journald ignores, behind the entries. The kernel counts what the
// receiver has not yet read of a socket's output (SIOCOUTQ, see unix(7)): once that is 0, journald
// has read the fence, and so has processed everything before it.
#pragma once

#include "core/Descriptor.h"

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace dtlsd {

class JournalFence
{
public:
    enum class State {
        Standing, ///< journald has not read it yet
        Passed,   ///< journald has processed everything before it, or died with its socket
        Broken,   ///< the journal's socket was missing, or has been replaced since
        NotPut    ///< this process had no descriptor or memory for it: call put() again
    };

    explicit JournalFence(std::string socket);

    /// false: no process receives at the socket.
    [[nodiscard]] bool isServed() const;
    /// Puts the fence behind everything this thread has sent; blocks while the queue is full.
    void put();
    /// The state of the last fence.
    [[nodiscard]] State state() const;
    /// Why the last fence is NotPut.
    [[nodiscard]] std::string problem() const;

private:
    using FileIdentity = std::pair<dev_t, ino_t>;

    [[nodiscard]] bool makeSocket();
    [[nodiscard]] std::optional<FileIdentity> socketIdentity() const;

    const std::string m_socket;
    Descriptor m_descriptor;
    std::optional<FileIdentity> m_identity; // of the socket at the last put()
    int m_error = 0;                        // errno of the last put(); 0: it was sent
};

} // namespace dtlsd
