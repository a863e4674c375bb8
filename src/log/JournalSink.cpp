// SPDX-License-Identifier: Apache-2.0
#include "log/JournalSink.h"

#include "log/JournalFiles.h"

#include <QByteArray>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

namespace dtlsd {

namespace {

using namespace std::chrono_literals;

/// Opening the journal reads from each of its files.
constexpr auto openInterval = 100ms;
constexpr auto retryInterval = 500ms;

/// `NAME=` and 32 random hex digits.
std::string randomField(const char *name)
{
    sd_id128_t id = {};
    if (sd_id128_randomize(&id) < 0)
        qFatal("no random numbers");
    std::array<char, SD_ID128_STRING_MAX> text = {};
    return std::string(name) + '=' + sd_id128_to_string(id, text.data());
}

} // namespace

bool JournalSink::isThere()
{
    return JournalFence(defaultSocket).isServed();
}

JournalSink::JournalSink(const Patience &patience)
    : m_patience(patience)
    , m_run(randomField("DTLSD_RUN"))
    , m_fence(defaultSocket)
    , m_reader(m_run)
{
}

void JournalSink::write(const LogRecord &record)
{
    serialize(record);
    const auto fingerprint =
        JournalFingerprint::of([this](const char *name) { return written(name); });
    Entry entry{fingerprint.value_or(JournalFingerprint())}; // written() has always an answer
    // sd_journal_sendv() also returns 0 if there is no socket; the fence finds that out.
    entry.error = -sd_journal_sendv(m_iovecs.data(), static_cast<int>(m_iovecs.size()));
    m_entries.push_back(entry);
}

void JournalSink::settle(std::vector<Fate> &fates)
{
    do {
        if (m_fenced > 0 && !concludeFenced(fates))
            return;
    } while (fenceWritten());
    // No entry waits for a fate, but the end of the obstacle has to be noticed.
    if (!m_obstacle.empty() && look() == Look::Complete)
        succeed();
}

/// Puts a fence behind all entries whose fate is open; false: there are none.
bool JournalSink::fenceWritten()
{
    m_fenced = m_entries.size();
    if (m_fenced == 0)
        return false;
    m_passed = {};
    m_nonce = std::exchange(m_writtenNonce, {});
    m_fence.put();
    return true;
}

/// false: some entries of the group have no fate yet.
bool JournalSink::concludeFenced(std::vector<Fate> &fates)
{
    const JournalFence::State state = m_fence.state();
    if (state == JournalFence::State::Standing)
        return false;
    if (m_passed == Clock::time_point())
        m_passed = Clock::now();
    switch (lookBehind(state)) {
    case Look::Complete:
        give(m_fenced, Fate::Lost, fates);
        break;
    case Look::Unfinished:
        break;
    case Look::Failed:
        if (Clock::now() - m_failing >= m_patience.time)
            give(m_fenced, Fate::Unverified, fates);
        else if (m_entries.size() > m_patience.entries)
            give(m_entries.size() - m_patience.entries, Fate::Unverified, fates);
        break;
    }
    return m_fenced == 0;
}

JournalSink::Look JournalSink::lookBehind(JournalFence::State state)
{
    if (state == JournalFence::State::NotPut) {
        m_fence.put(); // for the next look
        m_passed = {};
        return fail(m_fence.problem());
    }
    const auto wasSent = [](const Entry &entry) { return entry.error == 0; };
    const auto end = m_entries.begin() + static_cast<std::ptrdiff_t>(m_fenced);
    if (std::none_of(m_entries.begin(), end, wasSent))
        return Look::Complete;
    // As long as no entry was ever found, there may be no journald at all.
    if (!m_reader.knowsOwn() && (state == JournalFence::State::Broken || !m_fence.isServed())) {
        m_lossReason.assign("nobody receives at ").append(defaultSocket);
        return Look::Complete;
    }
    const Look seen = look();
    if (seen == Look::Complete)
        succeed();
    return seen;
}

JournalSink::Look JournalSink::look()
{
    for (;;) {
        if (m_reader.isOpen()) {
            const bool isFresh = m_reader.opened() >= m_passed;
            const JournalReader::Reading reading = readOn();
            if (reading == JournalReader::Reading::Unfinished)
                return Look::Unfinished;
            if (reading == JournalReader::Reading::AtEnd && isAllFound())
                return Look::Complete;
            if (isFresh)
                return reading == JournalReader::Reading::AtEnd ? judgeMissing()
                                                                : fail(m_reader.problem());
        }
        // The handle may be older than the files, or miss some. A new handle decides.
        const Clock::time_point now = Clock::now();
        if (now < m_nextOpen)
            return m_obstacle.empty() ? Look::Unfinished : Look::Failed;
        m_nextOpen = now + openInterval;
        if (!m_reader.open(m_nonce))
            return fail(m_reader.problem());
        for (Entry &entry : m_entries)
            entry.isFound = entry.isKept;
    }
}

JournalReader::Reading JournalSink::readOn()
{
    auto expected = m_entries.begin(); // entries are read in the order they were written
    return m_reader.readOn([this, &expected](const JournalFingerprint &fingerprint) {
        const auto found = std::find_if(expected, m_entries.end(), [&](const Entry &entry) {
            return !entry.isFound && entry.fingerprint == fingerprint;
        });
        if (found == m_entries.end())
            return; // a late entry of an earlier group
        found->isFound = true;
        expected = std::next(found);
    });
}

/// Whether there are entries before the fence, and all of them that were sent were found.
bool JournalSink::isAllFound() const
{
    return m_fenced > 0 &&
           std::all_of(m_entries.begin(), m_entries.begin() + static_cast<std::ptrdiff_t>(m_fenced),
                       [](const Entry &entry) { return entry.isFound || entry.error != 0; });
}

/// Some entries were not found. They are lost only if the whole journal could be read.
JournalSink::Look JournalSink::judgeMissing()
{
    const JournalFiles files = JournalFiles::look();
    if (!files.shortage.empty())
        return fail(files.shortage);
    if (files.readable == 0 && !files.denied.empty())
        return fail(files.denied + "; let dtlsd read it (group systemd-journal)");
    if (m_reader.knowsOwn()) {
        m_lossReason = "journald does not keep what it is sent";
        return Look::Complete;
    }
    if (!m_reader.problem().empty())
        return fail(m_reader.problem());
    return fail(files.readable == 0
                    ? "journald keeps no files in /run/log/journal or /var/log/journal"
                    : "what journald takes is in none of the journal's files here");
}

JournalSink::Look JournalSink::fail(const std::string &why)
{
    const Clock::time_point now = Clock::now();
    if (m_obstacle.empty())
        m_failing = now;
    m_obstacle = why;
    m_wantsNonce = true;
    m_nextOpen = now + retryInterval;
    m_reader.close(); // it may not see all files
    return Look::Failed;
}

void JournalSink::succeed()
{
    m_obstacle.clear();
    m_nonce.clear();
    // The reader may miss entries because it has learned wrong fields: let it learn again.
    m_wantsNonce = !isAllFound();
}

/// Appends the fates of the first @p count entries, @p ofMissing for one that was not found.
void JournalSink::give(std::size_t count, Fate ofMissing, std::vector<Fate> &fates)
{
    for (std::size_t i = 0; i < count; ++i) {
        const Entry &entry = m_entries.front();
        if (entry.error != 0)
            m_lossReason = std::string("sd_journal_sendv: ") + std::strerror(entry.error);
        fates.push_back(entry.error != 0 ? Fate::Lost : entry.isFound ? Fate::Kept : ofMissing);
        m_entries.pop_front();
    }
    m_fenced -= std::min(m_fenced, count);
    m_reader.keepPlace();
    for (Entry &entry : m_entries)
        entry.isKept = entry.isFound;
}

void JournalSink::serialize(const LogRecord &record)
{
    m_buffer.clear();
    m_ends.clear();
    append("MESSAGE", record.message);
    append("MESSAGE_ID", record.messageId);
    append("PRIORITY", QByteArray::number(static_cast<int>(record.priority)));
    append("SYSLOG_IDENTIFIER", "dtlsd");
    append("DTLSD_EVENT", record.event);
    for (const LogField &field : record.fields)
        append(field.name, field.value);
    append(m_run);
    const bool isFirstOfGroup = m_entries.size() == m_fenced;
    if (m_wantsNonce && isFirstOfGroup) {
        m_writtenNonce = randomField("DTLSD_NONCE");
        append(m_writtenNonce);
    }

    // Not earlier: a growing buffer moves.
    m_iovecs.clear();
    std::size_t begin = 0;
    for (const std::size_t end : m_ends) {
        m_iovecs.push_back({m_buffer.data() + begin, end - begin});
        begin = end;
    }
}

/// A field of the record serialized last, as `NAME=value`; empty if it has none.
std::string_view JournalSink::written(std::string_view name) const
{
    for (const iovec &part : m_iovecs) {
        const std::string_view field(static_cast<const char *>(part.iov_base), part.iov_len);
        if (field.size() > name.size() && field.starts_with(name) && field[name.size()] == '=')
            return field;
    }
    return {};
}

void JournalSink::append(QByteArrayView name, QByteArrayView value)
{
    m_buffer.append(name.data(), static_cast<std::size_t>(name.size())).push_back('=');
    m_buffer.append(value.data(), static_cast<std::size_t>(value.size()));
    m_ends.push_back(m_buffer.size());
}

void JournalSink::append(const std::string &field)
{
    m_buffer += field;
    m_ends.push_back(m_buffer.size());
}

} // namespace dtlsd
