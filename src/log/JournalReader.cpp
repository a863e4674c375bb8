// SPDX-License-Identifier: Apache-2.0
#include "log/JournalReader.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>

#include <systemd/sd-journal.h>

namespace dtlsd {

namespace {

/// Of a journal that shows nothing: opening it means looking at every file of it.
constexpr std::chrono::seconds reopenInterval{1};

} // namespace

void JournalFingerprint::add(std::string_view field)
{
    const std::string_view name = field.substr(0, field.find('='));
    if (std::find(std::begin(names), std::end(names), name) != std::end(names))
        m_hash += std::hash<std::string_view>()(field);
}

JournalReader::JournalReader(std::string match)
    : m_match(std::move(match))
{
}

JournalReader::~JournalReader() = default;

void JournalReader::Close::operator()(sd_journal *journal) const
{
    sd_journal_close(journal);
}

std::vector<bool> JournalReader::find(std::span<const JournalFingerprint> expected)
{
    if (m_journal && allFollow(expected))
        return std::vector<bool>(expected.size(), true);
    // Something is missing, or this handle does not see it: it may be older than the journal. A new
    // one decides, entry by entry.
    const auto now = std::chrono::steady_clock::now();
    if (hasFound() || now - m_opened > reopenInterval) {
        m_opened = now;
        open();
    }
    return m_journal ? compare(expected) : std::vector<bool>(expected.size(), false);
}

void JournalReader::open()
{
    sd_journal *journal = nullptr;
    const int opened = sd_journal_open(&journal, SD_JOURNAL_SYSTEM | SD_JOURNAL_CURRENT_USER |
                                                     SD_JOURNAL_ALL_NAMESPACES);
    m_journal.reset(opened < 0 ? nullptr : journal);
    // Nobody waits for the descriptor, but asking for it makes the handle notice new files.
    if (m_journal && (sd_journal_get_fd(journal) < 0 ||
                      sd_journal_add_match(journal, m_match.data(), m_match.size()) < 0))
        m_journal.reset();
    if (m_journal)
        seekLastFound();
}

/// So that next() is the one behind it.
void JournalReader::seekLastFound()
{
    sd_journal *journal = m_journal.get();
    const bool isThere = hasFound() && sd_journal_seek_cursor(journal, m_cursor.c_str()) >= 0 &&
                         next() && sd_journal_test_cursor(journal, m_cursor.c_str()) > 0;
    // It can have been vacuumed; what is left is all newer, if this is the first of it.
    if (!isThere && (!hasFound() || sd_journal_previous(journal) <= 0))
        sd_journal_seek_head(journal);
}

bool JournalReader::next()
{
    return sd_journal_next(m_journal.get()) > 0;
}

/// As nobody else writes such entries, it is enough to count them and to look at the last.
bool JournalReader::allFollow(std::span<const JournalFingerprint> expected)
{
    sd_journal_process(m_journal.get()); // opens the files that have come, closes those that went
    std::size_t count = 0;
    while (count < expected.size() && next())
        ++count;
    if (count < expected.size() || fingerprint() != expected.back())
        return false;
    remember();
    return true;
}

std::vector<bool> JournalReader::compare(std::span<const JournalFingerprint> expected)
{
    std::vector<bool> found(expected.size(), false);
    auto begin = expected.begin();
    while (next()) {
        const auto match = std::find(begin, expected.end(), fingerprint());
        if (match == expected.end())
            break; // one of those that were written later
        found[static_cast<std::size_t>(match - expected.begin())] = true;
        begin = std::next(match);
        remember();
    }
    seekLastFound();
    return found;
}

JournalFingerprint JournalReader::fingerprint()
{
    JournalFingerprint result;
    for (const char *name : JournalFingerprint::names) {
        const void *data = nullptr;
        std::size_t size = 0;
        if (sd_journal_get_data(m_journal.get(), name, &data, &size) >= 0)
            result.add({static_cast<const char *>(data), size});
    }
    return result;
}

void JournalReader::remember()
{
    char *cursor = nullptr;
    if (sd_journal_get_cursor(m_journal.get(), &cursor) >= 0)
        m_cursor = cursor;
    std::free(cursor);
}

} // namespace dtlsd
