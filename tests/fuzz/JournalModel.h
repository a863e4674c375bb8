// SPDX-License-Identifier: Apache-2.0
//
// JournalModel: journald's files in memory, with the calls of libsystemd that read them. Those are
// defined here, so that a program with this file in it reads no other journal. A test writes
// entries, rotates and vacuums, lets calls fail, and hides files from the handles that are opened.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace dtlsd::fuzz {

class JournalModel
{
public:
    struct Entry
    {
        std::uint64_t number = 0; ///< 1, 2, …
        int file = 0;
        std::vector<std::string> fields; ///< as `NAME=value`

        /// The field @p name as `NAME=value`, empty if there is none.
        [[nodiscard]] std::string field(const std::string &name) const;
        [[nodiscard]] bool has(const std::string &field) const;
    };

    /// The one that libsystemd's calls read; there is one at a time.
    JournalModel();
    ~JournalModel();
    JournalModel(const JournalModel &) = delete;
    JournalModel &operator=(const JournalModel &) = delete;
    static JournalModel &current();

    /// Returns the number of the entry.
    std::uint64_t write(std::vector<std::string> fields);
    /// What is written from now on is in another file.
    void rotate() { ++m_file; }
    /// The oldest entries go, @p count of them, but not @p spared and what came later, nor any of
    /// the file that is written to.
    void vacuum(int count, std::uint64_t spared);

    /// Behind @p after calls that succeed, @p count calls fail with @p code.
    void fail(int after, int count, int code);
    /// For want of descriptors, no file is opened until there is an end to that.
    void setShort(bool isShort) { m_isShort = isShort; }
    [[nodiscard]] bool isShort() const { return m_isShort; }

    [[nodiscard]] const std::deque<Entry> &entries() const { return m_entries; }
    /// The first whose number is not less than @p number; the end of entries() if there is none.
    [[nodiscard]] std::deque<Entry>::const_iterator from(std::uint64_t number) const;
    [[nodiscard]] int file() const { return m_file; }
    /// How many calls have failed until now.
    [[nodiscard]] int failures() const { return m_failures; }

    // For the calls of libsystemd:

    /// 0, or what a call returns instead of doing what it is for.
    [[nodiscard]] int nextFailure();
    int handles = 0;               ///< that are open
    std::uint64_t lastStepped = 0; ///< the entry that a handle was moved to last

private:
    std::deque<Entry> m_entries;
    std::uint64_t m_written = 0;
    int m_file = 0;
    bool m_isShort = false;
    int m_failAfter = 0;
    int m_failCount = 0;
    int m_failCode = 0;
    int m_failures = 0;
};

} // namespace dtlsd::fuzz
