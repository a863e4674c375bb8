// SPDX-License-Identifier: Apache-2.0
//
// JournalFence: tells when systemd-journald has dealt with all that was sent to it so far.
//
// journald reads one queue, in order, and is through with a datagram before it reads the next. The
// fence is an empty datagram behind the others, which journald passes over. The kernel keeps
// account of what a socket has sent and nobody has read yet (SIOCOUTQ, see unix(7)): once that is
// nothing, the fence has been read, and everything before it has been dealt with.
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
        Standing, ///< journald has not come this far
        Passed,   ///< journald has dealt with all that is before it, or died with its socket
        Broken,   ///< the journal's socket was not there, or is another one's by now
        NotPut    ///< this process had no descriptor or memory for it: put() it again
    };

    explicit JournalFence(std::string socket);

    /// Whether anybody receives what is sent to the socket.
    [[nodiscard]] bool isServed() const;
    /// Behind all that this thread has sent. Blocks as long as the socket's queue is full.
    void put();
    /// Of the fence that was put last.
    [[nodiscard]] State state() const;
    /// Why it is NotPut.
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
