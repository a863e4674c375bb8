// SPDX-License-Identifier: Apache-2.0
//
// JournalReader: a cursor through the journal entries that this process has written.
//
// journald drops entries without telling the sender when its disk is full, when a service exceeds
// its rate limit, and when it is killed. Only an entry that can be read back counts as kept.
//
// Any user may write entries with our fields, so our entries are told by the trusted fields that
// journald adds (systemd.journal-fields(7)). Their values cannot be known in advance: in a
// container _PID is the host's number. The reader learns them from the first entry with a nonce:
// nobody else knows the nonce before that entry is in the journal, so a copy can only come later.
//
// A call that fails closes the journal; open() returns to the place kept last. So no failure ends
// the reading for good.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sd_journal;

namespace dtlsd {

/// Tells the entries of one writer apart: a datagram by session and sequence, any other entry by
/// session and message.
class JournalFingerprint
{
public:
    /// @p field returns a field as `NAME=value`, empty if the entry has none. nullopt if it returns
    /// nullopt.
    static std::optional<JournalFingerprint>
    of(const std::function<std::optional<std::string_view>(const char *name)> &field);

    friend bool operator==(const JournalFingerprint &, const JournalFingerprint &) = default;

private:
    std::size_t m_hash = 0;
};

class JournalReader
{
public:
    using Clock = std::chrono::steady_clock;

    enum class Reading {
        AtEnd,      ///< no more entries at present
        Unfinished, ///< there may be more: a call reads a bounded number of entries
        Failed      ///< the journal is closed now; problem() says why
    };

    /// @p run is a field, as `NAME=value`, that all entries of this process have.
    explicit JournalReader(std::string run);
    ~JournalReader();

    /// Opens the journal anew. If an entry has the field @p nonce (`NAME=value` or empty), learns
    /// from it which entries are ours and starts there; otherwise starts behind the place kept
    /// last, or at our first entry. false: problem() says why.
    [[nodiscard]] bool open(const std::string &nonce);
    void close() { m_journal.reset(); }
    /// The next open() starts behind the entries read so far.
    void keepPlace() { m_place = m_last; }
    [[nodiscard]] bool isOpen() const { return m_journal != nullptr; }
    /// When it was opened last. Where descriptors are short, libsystemd may miss newer files
    /// without an error.
    [[nodiscard]] Clock::time_point opened() const { return m_opened; }

    /// Calls @p seen with each further entry of this process.
    [[nodiscard]] Reading readOn(const std::function<void(JournalFingerprint)> &seen);

    /// Whether it has learned which entries are ours.
    [[nodiscard]] bool knowsOwn() const { return !m_own.empty(); }
    /// What has gone wrong since the last open(): `sd_journal_open: Too many open files`.
    [[nodiscard]] const std::string &problem() const { return m_problem; }

private:
    struct Close
    {
        void operator()(sd_journal *journal) const;
    };

    [[nodiscard]] bool succeeds(const char *call, int result);
    [[nodiscard]] bool learn(const std::string &nonce);
    [[nodiscard]] bool readTrusted();
    [[nodiscard]] bool match();
    [[nodiscard]] bool seek();
    [[nodiscard]] bool seekCursor(const std::string &cursor);
    [[nodiscard]] bool remember(std::string &cursor);
    /// The current entry's field as `NAME=value`, empty if it has none. nullopt: Failed.
    [[nodiscard]] std::optional<std::string_view> field(const char *name);

    const std::string m_run;
    std::vector<std::string> m_own; // trusted fields of our entries, as `NAME=value`
    std::unique_ptr<sd_journal, Close> m_journal;
    Clock::time_point m_opened;
    std::string m_last;        // cursor of the entry read last
    std::string m_place;       // cursor that keepPlace() has kept
    std::string m_nonceCursor; // of the entry that open() has learned from
    bool m_isAtUnread = false; // on an entry that readOn() has not seen
    std::string m_problem;
};

} // namespace dtlsd
