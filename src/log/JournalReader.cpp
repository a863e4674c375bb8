// SPDX-License-Identifier: Apache-2.0
#include "log/JournalReader.h"

#include <QHashFunctions>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <systemd/sd-journal.h>

namespace dtlsd {

namespace {

/// Fields that only journald sets, from properties that a process cannot change.
constexpr const char *trusted[]{"_PID", "_UID", "_BOOT_ID", "_MACHINE_ID"};

/// Entries that one call reads.
constexpr int mostAtOnce = 1024;

constexpr int wanted = SD_JOURNAL_SYSTEM | SD_JOURNAL_CURRENT_USER | SD_JOURNAL_ALL_NAMESPACES;

} // namespace

std::optional<JournalFingerprint> JournalFingerprint::of(
    const std::function<std::optional<std::string_view>(const char *name)> &field)
{
    JournalFingerprint result;
    // Adds a field at once: its bytes are valid until the next one is read.
    const auto add = [&](const char *name) {
        const auto text = field(name);
        // The seed is secret, or a device could craft a message with the hash of another's.
        if (text)
            result.m_hash += qHashBits(text->data(), text->size(), QHashSeed::globalSeed());
        return text;
    };
    const auto sequence = add("DTLSD_SEQUENCE");
    if (!sequence || !add("DTLSD_SESSION") || (sequence->empty() && !add("MESSAGE")))
        return std::nullopt;
    return result;
}

JournalReader::JournalReader(std::string run)
    : m_run(std::move(run))
{
}

JournalReader::~JournalReader() = default;

void JournalReader::Close::operator()(sd_journal *journal) const
{
    sd_journal_close(journal);
}

bool JournalReader::succeeds(const char *call, int result)
{
    if (result >= 0)
        return true;
    m_problem = std::string(call) + ": " + std::strerror(-result);
    close();
    return false;
}

bool JournalReader::open(const std::string &nonce)
{
    close();
    m_opened = Clock::now();
    m_problem.clear();
    m_last = m_place;
    m_isAtUnread = false;
    m_nonceCursor.clear();
    sd_journal *journal = nullptr;
    if (!succeeds("sd_journal_open", sd_journal_open(&journal, wanted)))
        return false;
    m_journal.reset(journal);
    // The descriptor is not used, but asking for it makes the handle notice new files.
    return succeeds("sd_journal_get_fd", sd_journal_get_fd(journal)) && learn(nonce) && match() &&
           seek();
}

bool JournalReader::learn(const std::string &nonce)
{
    if (nonce.empty())
        return true;
    sd_journal *journal = m_journal.get();
    if (!succeeds("sd_journal_add_match",
                  sd_journal_add_match(journal, nonce.data(), nonce.size())) ||
        !succeeds("sd_journal_seek_head", sd_journal_seek_head(journal)))
        return false;
    const int found = sd_journal_next(journal);
    if (!succeeds("sd_journal_next", found) || (found > 0 && !readTrusted()))
        return false;
    sd_journal_flush_matches(journal); // returns nothing
    return true;
}

/// Learns from the current entry, which has the nonce.
bool JournalReader::readTrusted()
{
    std::vector<std::string> own;
    for (const char *name : trusted) {
        const auto value = field(name);
        if (!value)
            return false;
        if (value->empty()) {
            m_problem = std::string("journald adds no ") + name + " to the entries of this process";
            return true;
        }
        own.emplace_back(*value);
    }
    if (!remember(m_nonceCursor))
        return false;
    m_own = std::move(own);
    return true;
}

bool JournalReader::match()
{
    const auto add = [this](const std::string &field) {
        return succeeds("sd_journal_add_match",
                        sd_journal_add_match(m_journal.get(), field.data(), field.size()));
    };
    return add(m_run) && std::all_of(m_own.begin(), m_own.end(), add);
}

/// Makes readOn() begin with the entry that has the nonce, or behind the kept place. If that entry
/// was vacuumed, libsystemd finds where it was.
bool JournalReader::seek()
{
    sd_journal *journal = m_journal.get();
    if (!m_nonceCursor.empty())
        return seekCursor(m_nonceCursor);
    if (m_place.empty())
        return succeeds("sd_journal_seek_head", sd_journal_seek_head(journal));
    if (!seekCursor(m_place))
        return false;
    const int step = sd_journal_next(journal);
    const int isPlace = step > 0 ? sd_journal_test_cursor(journal, m_place.c_str()) : 0;
    m_isAtUnread = step > 0 && isPlace == 0;
    return succeeds("sd_journal_next", step) && succeeds("sd_journal_test_cursor", isPlace);
}

bool JournalReader::seekCursor(const std::string &cursor)
{
    return succeeds("sd_journal_seek_cursor",
                    sd_journal_seek_cursor(m_journal.get(), cursor.c_str()));
}

JournalReader::Reading JournalReader::readOn(const std::function<void(JournalFingerprint)> &seen)
{
    sd_journal *journal = m_journal.get();
    if (!journal)
        return Reading::Failed;
    if (!knowsOwn())
        return Reading::AtEnd;
    // Opens new files and closes deleted ones.
    if (!succeeds("sd_journal_process", sd_journal_process(journal)))
        return Reading::Failed;
    for (int count = 0;; ++count) {
        const int step = count == mostAtOnce ? 0 : m_isAtUnread ? 1 : sd_journal_next(journal);
        if (!succeeds("sd_journal_next", step))
            return Reading::Failed;
        if (step == 0) {
            if (count > 0 && !remember(m_last))
                return Reading::Failed;
            return count == mostAtOnce ? Reading::Unfinished : Reading::AtEnd;
        }
        m_isAtUnread = false;
        const auto entry = JournalFingerprint::of([this](const char *name) { return field(name); });
        if (!entry)
            return Reading::Failed;
        seen(*entry);
    }
}

std::optional<std::string_view> JournalReader::field(const char *name)
{
    const void *data = nullptr;
    std::size_t size = 0;
    const int got = sd_journal_get_data(m_journal.get(), name, &data, &size);
    if (got == -ENOENT)
        return std::string_view();
    if (!succeeds("sd_journal_get_data", got))
        return std::nullopt;
    return std::string_view(static_cast<const char *>(data), size);
}

bool JournalReader::remember(std::string &cursor)
{
    char *text = nullptr;
    if (!succeeds("sd_journal_get_cursor", sd_journal_get_cursor(m_journal.get(), &text)))
        return false;
    cursor = text;
    std::free(text);
    return true;
}

} // namespace dtlsd
