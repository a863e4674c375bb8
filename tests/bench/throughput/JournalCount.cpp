// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/JournalCount.h"

#include "bench/load/Message.h"

#include <QFile>

#include <memory>
#include <string_view>
#include <vector>

#include <systemd/sd-journal.h>

namespace dtlsd::bench {

namespace {

constexpr std::string_view payload = "DTLSD_PAYLOAD=";
constexpr std::string_view match = "DTLSD_EVENT=datagram-received";

/// @p messages if it has none.
std::size_t numberOf(sd_journal *journal, std::size_t messages)
{
    const void *data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, "DTLSD_PAYLOAD", &data, &size) < 0)
        return messages;
    const std::string_view field(static_cast<const char *>(data), size);
    return readNumber(field.substr(payload.size())).value_or(messages);
}

} // namespace

Result<JournalCount> JournalCount::of(const QString &directory, std::size_t messages)
{
    sd_journal *opened = nullptr;
    if (sd_journal_open_directory(&opened, QFile::encodeName(directory).constData(), 0) < 0 ||
        sd_journal_add_match(opened, match.data(), match.size()) < 0)
        return Error{QStringLiteral("cannot read the journal in %1").arg(directory)};
    const std::unique_ptr<sd_journal, decltype(&sd_journal_close)> journal(opened,
                                                                           &sd_journal_close);
    JournalCount count;
    std::vector<bool> seen(messages);
    while (sd_journal_next(journal.get()) > 0) {
        ++count.entries;
        const std::size_t number = numberOf(journal.get(), messages);
        if (number >= messages || seen[number])
            continue;
        seen[number] = true;
        ++count.distinct;
    }
    return count;
}

} // namespace dtlsd::bench
