// SPDX-License-Identifier: Apache-2.0
//
// JournalSink: records as entries of the systemd journal, every field exact and of any size.
//
// It blocks while the journal's socket is full, for as long as that takes. What it has taken is in
// the socket's queue, which systemd holds open while systemd-journald restarts.
#pragma once

#include "log/Sink.h"

#include <QByteArrayView>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <sys/uio.h>

namespace dtlsd {

class JournalSink final : public Sink
{
public:
    /// Where libsystemd sends to; nothing else can be chosen there.
    static constexpr auto defaultSocket = "/run/systemd/journal/socket";

    /// @p socket is what has to exist for an entry to count as taken.
    explicit JournalSink(std::string socket = defaultSocket);

    [[nodiscard]] bool write(const LogRecord &record) override;

private:
    using FileIdentity = std::pair<dev_t, ino_t>;

    [[nodiscard]] std::optional<FileIdentity> socketIdentity() const;
    void serialize(const LogRecord &record);
    void append(QByteArrayView name, QByteArrayView value);

    const std::string m_socket;
    std::string m_buffer; // all of `NAME=value`, end to end; kept for its capacity, as the others
    std::vector<std::size_t> m_ends;
    std::vector<iovec> m_fields;
};

} // namespace dtlsd
