// SPDX-License-Identifier: Apache-2.0
#include "fuzz/JournalModel.h"

#include "fuzz/FuzzTarget.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include <systemd/sd-journal.h>

using dtlsd::fuzz::JournalModel;
using dtlsd::fuzz::require;

namespace dtlsd::fuzz {

namespace {

JournalModel *theCurrent = nullptr;

std::string nameOf(const std::string &field)
{
    return field.substr(0, field.find('='));
}

} // namespace

std::string JournalModel::Entry::field(const std::string &name) const
{
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto &field) { return nameOf(field) == name; });
    return found == fields.end() ? std::string() : *found;
}

bool JournalModel::Entry::has(const std::string &field) const
{
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

JournalModel::JournalModel()
{
    theCurrent = this;
}

JournalModel::~JournalModel()
{
    theCurrent = nullptr;
}

JournalModel &JournalModel::current()
{
    return *theCurrent;
}

std::uint64_t JournalModel::write(std::vector<std::string> fields)
{
    m_entries.push_back({++m_written, m_file, std::move(fields)});
    return m_written;
}

void JournalModel::vacuum(int count, std::uint64_t spared)
{
    const auto mayGo = [&](const Entry &entry) {
        return entry.file < m_file && entry.number < spared;
    };
    for (; count > 0 && !m_entries.empty() && mayGo(m_entries.front()); --count)
        m_entries.pop_front();
}

std::deque<JournalModel::Entry>::const_iterator JournalModel::from(std::uint64_t number) const
{
    const std::uint64_t first = m_written + 1 - m_entries.size();
    const std::uint64_t index = number < first ? 0 : number - first;
    return m_entries.begin() +
           static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(index, m_entries.size()));
}

void JournalModel::fail(int after, int count, int code)
{
    m_failAfter = after;
    m_failCount = count;
    m_failCode = code;
}

int JournalModel::nextFailure()
{
    if (m_failCount == 0 || m_failAfter-- > 0)
        return 0;
    --m_failCount;
    m_failAfter = 0;
    ++m_failures;
    return -m_failCode;
}

} // namespace dtlsd::fuzz

/// A handle: a place in the entries that match, of the files that it has opened.
struct sd_journal
{
    std::set<int> files;
    int lastFile = -1; // that it has looked for
    std::map<std::string, std::vector<std::string>> matches;
    std::uint64_t at = 0;   // the entry that it is on, or behind
    bool isSought = false;  // the next step may stay at that entry
    bool isOnEntry = false; // and not between two
    std::string data;

    void openFiles(const JournalModel &model)
    {
        for (; lastFile < model.file(); ++lastFile)
            if (!model.isShort())
                files.insert(lastFile + 1);
    }
    [[nodiscard]] bool shows(const JournalModel::Entry &entry) const
    {
        return files.count(entry.file) > 0 &&
               std::all_of(matches.begin(), matches.end(), [&](const auto &alternatives) {
                   return std::any_of(alternatives.second.begin(), alternatives.second.end(),
                                      [&](const auto &field) { return entry.has(field); });
               });
    }
    [[nodiscard]] const JournalModel::Entry *entry() const
    {
        const JournalModel &model = JournalModel::current();
        const auto found = model.from(at);
        const bool isThere = found != model.entries().end() && found->number == at;
        return isOnEntry && isThere ? &*found : nullptr;
    }
};

extern "C" {

int sd_journal_open(sd_journal **ret, int)
{
    JournalModel &model = JournalModel::current();
    if (const int failure = model.nextFailure())
        return failure;
    *ret = new sd_journal;
    (*ret)->openFiles(model);
    ++model.handles;
    return 0;
}

void sd_journal_close(sd_journal *j)
{
    --JournalModel::current().handles;
    delete j;
}

int sd_journal_get_fd(sd_journal *)
{
    const int failure = JournalModel::current().nextFailure();
    return failure == 0 ? 1000 : failure;
}

int sd_journal_process(sd_journal *j)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    j->openFiles(JournalModel::current());
    return 0;
}

int sd_journal_add_match(sd_journal *j, const void *data, size_t size)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    const std::string field(static_cast<const char *>(data), size);
    j->matches[field.substr(0, field.find('='))].push_back(field);
    return 0;
}

void sd_journal_flush_matches(sd_journal *j)
{
    j->matches.clear();
}

int sd_journal_seek_head(sd_journal *j)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    j->at = 0;
    j->isSought = false;
    j->isOnEntry = false;
    return 0;
}

int sd_journal_seek_cursor(sd_journal *j, const char *cursor)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    j->at = std::stoull(cursor);
    j->isSought = true;
    j->isOnEntry = false;
    return 0;
}

int sd_journal_next(sd_journal *j)
{
    JournalModel &model = JournalModel::current();
    if (const int failure = model.nextFailure())
        return failure;
    const auto found =
        std::find_if(model.from(j->isSought ? j->at : j->at + 1), model.entries().end(),
                     [j](const auto &entry) { return j->shows(entry); });
    if (found == model.entries().end())
        return 0;
    j->at = found->number;
    j->isSought = false;
    j->isOnEntry = true;
    model.lastStepped = j->at;
    return 1;
}

int sd_journal_test_cursor(sd_journal *j, const char *cursor)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    if (!j->isOnEntry)
        return -EADDRNOTAVAIL;
    return j->at == std::stoull(cursor) ? 1 : 0;
}

int sd_journal_get_cursor(sd_journal *j, char **cursor)
{
    if (const int failure = JournalModel::current().nextFailure())
        return failure;
    if (!j->isOnEntry)
        return -EADDRNOTAVAIL;
    *cursor = strdup(std::to_string(j->at).c_str());
    return 0;
}

int sd_journal_get_data(sd_journal *j, const char *field, const void **data, size_t *length)
{
    // -ENOENT is no failure here, but says that the entry has no such field.
    if (const int failure = JournalModel::current().nextFailure();
        failure != 0 && failure != -ENOENT)
        return failure;
    const JournalModel::Entry *entry = j->entry();
    if (!entry)
        return -EADDRNOTAVAIL;
    j->data = entry->field(field);
    if (j->data.empty())
        return -ENOENT;
    *data = j->data.data();
    *length = j->data.size();
    return 0;
}

} // extern "C"
