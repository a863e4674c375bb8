// SPDX-License-Identifier: Apache-2.0
//
// JournalSink: records as entries of the systemd journal, every field exact and of any size.
//
// It blocks while the journal's socket is full, for as long as that takes. Sending is not storing:
// journald may be killed with an entry in its hands, run out of disk or refuse a service's rate,
// and says nothing of it. So entries go in groups, each behind the one before:
//
//   write() ... ──► fence ──► once journald has passed it: what of the group is in the journal?
//
// Where this process may not read the journal, or nothing is kept in it, a group counts as kept
// when journald has passed its fence.
#pragma once

#include "log/JournalFence.h"
#include "log/JournalReader.h"
#include "log/Sink.h"

#include <QByteArrayView>

#include <functional>
#include <string>
#include <vector>

#include <sys/uio.h>

namespace dtlsd {

class JournalSink final : public Sink
{
public:
    /// Where libsystemd sends to; nothing else can be chosen there.
    static constexpr auto defaultSocket = "/run/systemd/journal/socket";

    /// Whether a journald receives what is sent there.
    static bool isThere();

    /// Called once, in the log thread, when an entry was taken but cannot be read back.
    using OnUnreadable = std::function<void()>;

    explicit JournalSink(OnUnreadable onUnreadable = {});

    void write(const LogRecord &record) override;
    void settle(std::vector<bool> &outcomes) override;

private:
    struct Group
    {
        std::vector<JournalFingerprint> entries;
        std::vector<bool> taken; // by the kernel, in its queue for journald
    };

    void serialize(const LogRecord &record);
    void append(QByteArrayView name, QByteArrayView value);
    [[nodiscard]] std::vector<bool> outcomesOfFenced(JournalFence::State state);

    const std::string m_run; // as a field
    const OnUnreadable m_onUnreadable;
    JournalFence m_fence;
    JournalReader m_reader;
    Group m_fenced;  // before the fence
    Group m_written; // since it was put
    bool m_unreadable = false;
    std::string m_buffer; // all of `NAME=value`, end to end; kept for its capacity, as the others
    std::vector<std::size_t> m_ends;
    std::vector<iovec> m_fields;
};

} // namespace dtlsd
