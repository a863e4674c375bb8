// SPDX-License-Identifier: Apache-2.0
//
// JournalSink: writes records as entries of the systemd journal, every field exact and of any size.
//
// It blocks while the journal's socket is full, for as long as that takes. Sending is not storing:
// journald may be killed while it handles an entry, run out of disk or apply a rate limit, and
// reports none of that. So entries are checked in groups, one group after the other:
//
//   write() ... ──► fence ──► once journald has passed it: is the group in the journal?
//
//   look                         fates
//   all entries are found        Kept
//   some are missing, although   Kept or Lost. This takes a journal opened after the fence was
//   a readable journal was       passed, files that can be opened, and an entry of ours found at
//   read to its end              some time
//   anything else                none yet. The look is repeated until it succeeds; a group that
//                                has waited too long is Unverified
//
// While looks fail, obstacle() says why, and the first entry of each group has a nonce, by which
// the reader finds the group even if groups before it were given up (JournalReader).
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
    /// Where libsystemd sends entries; it offers no other choice.
    static constexpr auto defaultSocket = "/run/systemd/journal/socket";

    /// How long entries wait for a journal that cannot be read: less than LogWriter has for
    /// stopping, longer than a restart of journald takes.
    struct Patience
    {
        std::chrono::milliseconds time = std::chrono::seconds(4); ///< since the first failed look
        std::size_t entries = 16'384;
    };

    /// Whether journald receives at defaultSocket.
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
        bool isKept = false;  // found before the reader's place, and so not read again
    };

    enum class Look {
        Complete,   // an entry not found is not in the journal
        Unfinished, // look again soon
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
    const std::string m_run; // a field of every entry
    JournalFence m_fence;
    JournalReader m_reader;
    std::deque<Entry> m_entries;  // whose fate is open
    std::size_t m_fenced = 0;     // how many of them are before the fence
    Clock::time_point m_passed;   // when the fence was first seen passed; 0: not yet
    Clock::time_point m_nextOpen; // when the reader may be opened again
    bool m_wantsNonce = true;
    std::string m_nonce;        // a field of the group fenced last; empty: it has none
    std::string m_writtenNonce; // a field of the entries written since
    std::string m_obstacle;
    Clock::time_point m_failing; // when the obstacle began
    std::string m_lossReason;
    std::string m_buffer; // every `NAME=value`, end to end; like the next two kept for its capacity
    std::vector<std::size_t> m_ends;
    std::vector<iovec> m_iovecs;
};

} // namespace dtlsd
