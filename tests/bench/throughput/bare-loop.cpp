// SPDX-License-Identifier: Apache-2.0
//
// Usage: bare-loop ENTRIES
// Reads template entries, one field a line, with an empty line after each entry; prints `ready` at
// a second empty line, waits for a line, sends that many entries from the templates in turn, each
// with its own number, and prints how long it took until the last was in the journal. Then it waits
// for the end of its input, so that its processor time can be read.
#include "bench/load/Message.h"
#include "log/JournalFence.h"
#include "log/JournalSink.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/uio.h>

#include <systemd/sd-journal.h>

using namespace dtlsd::bench;

namespace {

constexpr char payload[] = "DTLSD_PAYLOAD=";
constexpr char sequence[] = "DTLSD_SEQUENCE=";
constexpr std::chrono::microseconds fenceLook{200};

/// An entry that is sent repeatedly; only its numbers change.
class Entry
{
public:
    explicit Entry(std::vector<std::string> fields)
        : m_fields(std::move(fields))
    {
        for (std::string &field : m_fields) {
            m_vector.push_back({field.data(), field.size()});
            if (field.starts_with(payload))
                m_numbers.push_back(field.data() + sizeof payload - 1);
            if (field.starts_with(sequence))
                m_sequence = m_vector.size() - 1;
        }
        // MESSAGE ends with the payload.
        const std::string_view number =
            m_numbers.empty() ? "?" : std::string_view(m_numbers.front(), numberSize);
        for (std::string &field : m_fields) {
            const std::size_t at = field.rfind(number);
            if (field.starts_with("MESSAGE=") && at != std::string::npos)
                m_numbers.push_back(field.data() + at);
        }
    }

    [[nodiscard]] bool isComplete() const { return m_numbers.size() == 2 && m_sequence > 0; }

    bool send(std::size_t number)
    {
        for (char *digits : m_numbers)
            writeNumber(digits, number);
        m_fields[m_sequence].replace(sizeof sequence - 1, std::string::npos,
                                     std::to_string(++m_sent));
        m_vector[m_sequence] = {m_fields[m_sequence].data(), m_fields[m_sequence].size()};
        return sd_journal_sendv(m_vector.data(), static_cast<int>(m_vector.size())) == 0;
    }

private:
    std::vector<std::string> m_fields;
    std::vector<iovec> m_vector;
    std::vector<char *> m_numbers; // in m_fields
    std::size_t m_sequence = 0;    // in m_fields
    std::size_t m_sent = 0;
};

std::vector<std::unique_ptr<Entry>> readEntries()
{
    std::vector<std::unique_ptr<Entry>> entries;
    std::vector<std::string> fields;
    for (std::string line; std::getline(std::cin, line);) {
        if (!line.empty()) {
            fields.push_back(line);
            continue;
        }
        if (fields.empty())
            break;
        entries.push_back(std::make_unique<Entry>(std::exchange(fields, {})));
    }
    return entries;
}

int complain(const char *what)
{
    std::cerr << "bare-loop: " << what << '\n';
    return EXIT_FAILURE;
}

/// false: journald has gone.
bool waitForJournal()
{
    dtlsd::JournalFence fence(dtlsd::JournalSink::defaultSocket);
    fence.put();
    while (fence.state() == dtlsd::JournalFence::State::Standing)
        std::this_thread::sleep_for(fenceLook);
    return fence.state() == dtlsd::JournalFence::State::Passed;
}

} // namespace

int main(int argc, char **argv)
{
    const std::size_t count = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
    const auto entries = readEntries();
    if (count == 0 || entries.empty() || !entries.front()->isComplete())
        return complain("usage: bare-loop ENTRIES < entries of dtlsd to go by");
    std::cout << "ready\n" << std::flush;
    std::string line;
    std::getline(std::cin, line);

    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        if (!entries[i % entries.size()]->send(i))
            return complain("an entry was not taken");
    }
    if (!waitForJournal())
        return complain("journald has gone");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("{\"seconds\": %.6f}\n", took.count());
    static_cast<void>(std::fflush(stdout));
    std::getline(std::cin, line);
    return EXIT_SUCCESS;
}
