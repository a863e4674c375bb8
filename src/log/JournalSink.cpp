// SPDX-License-Identifier: Apache-2.0
#include "log/JournalSink.h"

#include <QByteArray>

#include <array>
#include <utility>

#define SD_JOURNAL_SUPPRESS_LOCATION // CODE_FILE= and its kin would say "here" in every entry
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

namespace dtlsd {

namespace {

/// `DTLSD_RUN=` and 32 hex digits: marks the entries of one run. _PID= would be another number in a
/// container's namespace, and would be given again.
std::string randomRun()
{
    sd_id128_t id = {};
    if (sd_id128_randomize(&id) < 0)
        qFatal("no random numbers");
    std::array<char, SD_ID128_STRING_MAX> text = {};
    return std::string("DTLSD_RUN=") + sd_id128_to_string(id, text.data());
}

} // namespace

bool JournalSink::isThere()
{
    return JournalFence(defaultSocket).isServed();
}

JournalSink::JournalSink(OnUnreadable onUnreadable)
    : m_run(randomRun())
    , m_onUnreadable(std::move(onUnreadable))
    , m_fence(defaultSocket)
    , m_reader(m_run)
{
}

void JournalSink::write(const LogRecord &record)
{
    serialize(record);
    JournalFingerprint fingerprint;
    for (const iovec &field : m_fields)
        fingerprint.add({static_cast<const char *>(field.iov_base), field.iov_len});
    // It says 0 as well when there is no socket to send to. The fence finds that out.
    const bool taken = sd_journal_sendv(m_fields.data(), static_cast<int>(m_fields.size())) == 0;
    m_written.entries.push_back(fingerprint);
    m_written.taken.push_back(taken);
}

void JournalSink::settle(std::vector<bool> &outcomes)
{
    for (;;) {
        if (!m_fenced.entries.empty()) {
            const JournalFence::State state = m_fence.state();
            if (state == JournalFence::State::Standing)
                return;
            const std::vector<bool> kept = outcomesOfFenced(state);
            outcomes.insert(outcomes.end(), kept.begin(), kept.end());
        }
        m_fenced = std::exchange(m_written, {});
        if (m_fenced.entries.empty())
            return;
        m_fence.put();
    }
}

std::vector<bool> JournalSink::outcomesOfFenced(JournalFence::State state)
{
    std::vector<bool> kept = m_reader.find(m_fenced.entries);
    if (m_reader.hasFound())
        return kept;
    if (state == JournalFence::State::Broken || !m_fence.isServed())
        return std::vector<bool>(m_fenced.entries.size(), false);
    if (!std::exchange(m_unreadable, true) && m_onUnreadable)
        m_onUnreadable();
    return m_fenced.taken;
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
    m_buffer += m_run;
    m_ends.push_back(m_buffer.size());

    // Only now, since a growing buffer moves.
    m_fields.clear();
    std::size_t begin = 0;
    for (const std::size_t end : m_ends) {
        m_fields.push_back({m_buffer.data() + begin, end - begin});
        begin = end;
    }
}

void JournalSink::append(QByteArrayView name, QByteArrayView value)
{
    m_buffer.append(name.data(), static_cast<std::size_t>(name.size())).push_back('=');
    m_buffer.append(value.data(), static_cast<std::size_t>(value.size()));
    m_ends.push_back(m_buffer.size());
}

} // namespace dtlsd
