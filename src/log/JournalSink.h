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
//   the look                     the answer
//   all are there                Kept
//   some are not, although a     Kept or Lost. It takes a journal that was opened behind the
//   journal that can be read     fence, files that can be opened, and that an entry of ours was
//   was read to its end          ever found
//   anything else                none yet. The look is repeated until it succeeds; a group that
//                                has waited for too long is Unverified
//
// While looks fail, obstacle() says why, and the first entry of each group bears a nonce, by which
// the reader finds the group, however much has been given up before it (JournalReader).
#pragma once

#include "log/JournalFence.h"
#include "log/JournalReader.h"
#include "log/Sink.h"

#include <QByteArrayView>

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace dtlsd {

class JournalSink final : public Sink
{
public:
    /// Where libsystemd sends to; nothing else can be chosen there.
    static constexpr auto defaultSocket = "/run/systemd/journal/socket";

    /// How long entries wait for a journal that cannot be read: less than LogWriter is given to
    /// stop, longer than a restart of journald takes.
    struct Patience
    {
        std::chrono::milliseconds time = std::chrono::seconds(4); ///< since the first failed look
        std::size_t entries = 16'384;
    };

    /// Whether a journald receives what is sent there.
    static bool isThere();

    JournalSink()
        : JournalSink(Patience())
    {
    }
    explicit JournalSink(const Patience &patience);

    void write(const LogRecord &record) override;
    void settle(std::vector<Fate> &fates) override;
    [[nodiscard]] std::string obstacle() const override { return m_obstacle; }
    [[nodiscard]] std::string lossReason() const override { return m_lossReason; }

private:
    using Clock = std::chrono::steady_clock;

    struct Entry
    {
        JournalFingerprint fingerprint;
        int error = 0;        // errno of sending it
        bool isFound = false; // in the journal
        bool isKept = false;  // found before the reader's place: it will not be read again
    };

    enum class Look {
        Complete,   // what is not found is not there
        Unfinished, // ask again soon
        Failed      // obstacle() says why
    };

    void serialize(const LogRecord &record);
    [[nodiscard]] std::string_view written(std::string_view name) const;
    void append(QByteArrayView name, QByteArrayView value);
    void append(const std::string &field);
    [[nodiscard]] bool concludeFenced(std::vector<Fate> &fates);
    [[nodiscard]] Look lookBehind(JournalFence::State state);
    [[nodiscard]] Look look();
    [[nodiscard]] JournalReader::Reading readOn();
    [[nodiscard]] bool isAllFound() const;
    [[nodiscard]] Look judgeMissing();
    [[nodiscard]] Look fail(const std::string &why);
    void succeed();
    void give(std::size_t count, Fate ofMissing, std::vector<Fate> &fates);
    [[nodiscard]] bool fenceWritten();

    const Patience m_patience;
    const std::string m_run; // as a field
    JournalFence m_fence;
    JournalReader m_reader;
    std::deque<Entry> m_entries;  // without a fate
    std::size_t m_fenced = 0;     // of them, before the fence
    Clock::time_point m_passed;   // when the fence was first seen passed; 0: it was not
    Clock::time_point m_nextOpen; // the reader may be opened again
    bool m_wantsNonce = true;
    std::string m_nonce;        // as a field, in the group that was fenced last; empty: in none
    std::string m_writtenNonce; // the same of what was written since
    std::string m_obstacle;
    Clock::time_point m_failing; // since when there is an obstacle
    std::string m_lossReason;
    std::string m_buffer; // all of `NAME=value`, end to end; kept for its capacity, as the others
    std::vector<std::size_t> m_ends;
    std::vector<iovec> m_iovecs;
};

} // namespace dtlsd
