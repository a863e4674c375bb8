// SPDX-License-Identifier: Apache-2.0
//
// JournalReader: a cursor through those entries of the journal that this process has written.
//
// journald drops entries without a word to the sender when its disk is full, when a service exceeds
// its rate, and when it is killed in the middle of one. Only what can be read back is kept.
//
// Any user may write entries with our fields. So an entry is ours by the fields that journald adds
// (journal-fields(7), "trusted"). Their values cannot be known in advance: in a container _PID is
// the host's number. They are learned from the first entry that bears a nonce: nobody else knows
// the nonce before that entry is in the journal, so a copy of it can only come later.
//
// A call that fails closes the journal, and open() goes back to the place that was kept last. So
// nothing that fails can end the reading for good.
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

/// Tells entries of one writer apart: a datagram by its session and sequence, another entry by its
/// session and message.
class JournalFingerprint
{
public:
    /// What @p field says a field is, as `NAME=value`, empty if there is none. Nothing if it says
    /// so.
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
        AtEnd,      ///< there is nothing more at present
        Unfinished, ///< there may be more; so that a call takes a bounded time
        Failed      ///< the journal is closed now; problem() says why
    };

    /// @p run, as `NAME=value`, is what all entries of this process have.
    explicit JournalReader(std::string run);
    ~JournalReader();

    /// Opens the journal anew. If there is an entry with @p nonce, `NAME=value` or empty, it learns
    /// from it which entries are ours, and goes there; else it goes behind the place that was kept
    /// last, or before the first entry of ours. false: problem() says why.
    [[nodiscard]] bool open(const std::string &nonce);
    void close() { m_journal.reset(); }
    /// What was read until now need not be read again.
    void keepPlace() { m_place = m_last; }
    [[nodiscard]] bool isOpen() const { return m_journal != nullptr; }
    /// When it was opened last. Files that came later may be missed where descriptors are short:
    /// libsystemd does not say so.
    [[nodiscard]] Clock::time_point opened() const { return m_opened; }

    /// Calls @p seen with each further entry of this process.
    [[nodiscard]] Reading readOn(const std::function<void(JournalFingerprint)> &seen);

    /// Whether it has ever learned which entries are ours.
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
    /// The current entry's field as `NAME=value`, empty if it has none. Nothing: Failed.
    [[nodiscard]] std::optional<std::string_view> field(const char *name);

    const std::string m_run;
    std::vector<std::string> m_own; // trusted fields of our entries, as `NAME=value`
    std::unique_ptr<sd_journal, Close> m_journal;
    Clock::time_point m_opened;
    std::string m_last;        // cursor of the entry that was read last
    std::string m_place;       // as kept
    std::string m_nonceCursor; // of the entry that open() has learned from
    bool m_isAtUnread = false; // on an entry that readOn() has not seen
    std::string m_problem;
};

} // namespace dtlsd
