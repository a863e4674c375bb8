// SPDX-License-Identifier: Apache-2.0
//
// JournalReader: looks up in the journal what was written to it.
//
// journald drops entries without a word to the sender when its disk is full, when a service exceeds
// its rate, and when it is killed in the middle of one. Only what can be read back is kept. Reading
// on costs less than a microsecond for an entry, as the journal is mapped into memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sd_journal;

namespace dtlsd {

/// Tells entries of one writer apart: of their message, session and sequence.
class JournalFingerprint
{
public:
    /// The fields that count.
    static constexpr const char *names[]{"MESSAGE", "DTLSD_SESSION", "DTLSD_SEQUENCE"};

    /// @p field as `NAME=value`; others than those named are passed over.
    void add(std::string_view field);

    friend bool operator==(const JournalFingerprint &, const JournalFingerprint &) = default;

private:
    std::size_t m_hash = 0;
};

class JournalReader
{
public:
    /// @p match, as `NAME=value`, is what all entries of the writer have, and no others.
    explicit JournalReader(std::string match);
    ~JournalReader();
    JournalReader(const JournalReader &) = delete;
    JournalReader &operator=(const JournalReader &) = delete;

    /// Which of the entries @p expected are in the journal: all those that were written behind the
    /// ones of the last call, in that order, or the first of them. journald must have dealt with
    /// them.
    [[nodiscard]] std::vector<bool> find(std::span<const JournalFingerprint> expected);

    /// Whether an entry was ever found: the journal that is written to can be read by this process.
    [[nodiscard]] bool hasFound() const { return !m_cursor.empty(); }

private:
    struct Close
    {
        void operator()(sd_journal *journal) const;
    };

    void open();
    void seekLastFound();
    [[nodiscard]] bool next();
    [[nodiscard]] bool allFollow(std::span<const JournalFingerprint> expected);
    [[nodiscard]] std::vector<bool> compare(std::span<const JournalFingerprint> expected);
    [[nodiscard]] JournalFingerprint fingerprint();
    void remember();

    const std::string m_match;
    std::unique_ptr<sd_journal, Close> m_journal;
    std::chrono::steady_clock::time_point m_opened;
    std::string m_cursor; // of the entry that was found last
};

} // namespace dtlsd
