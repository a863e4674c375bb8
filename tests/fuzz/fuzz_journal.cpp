// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes log/JournalReader over a JournalModel: the input is a program for journald, for other
// users, for the machine and for the sink that reads. Each instruction is a letter with its
// arguments (Program.h), and any other byte is passed over.
//
//   o count              entries of this process are written
//   n                    one with a fresh nonce
//   f copied kind        another user copies an entry of ours, but for a field that he cannot set
//   r                    journald rotates
//   v count              the oldest entries are vacuumed
//   e after count code   calls fail
//   s                    descriptors get short, or are there again
//   g nonce              the journal is opened anew, for the nonce or not
//   l                    it is read to its end
//   k                    the place is kept
//   c                    the journal is closed
//
// What is read must be ours, as it was written, in order, and each entry once; a look in which no
// call fails sees everything that is there; and once nothing fails any more, nothing is missing.
#include "fuzz/FuzzTarget.h"
#include "fuzz/JournalModel.h"
#include "fuzz/Program.h"
#include "log/JournalReader.h"

#include <algorithm>
#include <array>
#include <cerrno>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

const std::string ownRun = "DTLSD_RUN=0123456789abcdef0123456789abcdef";
const std::array<std::string, 4> trusted{"_PID=4711", "_UID=998", "_BOOT_ID=b", "_MACHINE_ID=m"};
constexpr int mostEntries = 3000; // a look reads 1,024 at once
constexpr int codes[]{EMFILE, ENOMEM, EBADMSG, EIO, ENOENT, EADDRNOTAVAIL, ETIME, EINVAL};

bool isOurs(const JournalModel::Entry &entry)
{
    return entry.has(ownRun) &&
           std::all_of(trusted.begin(), trusted.end(),
                       [&](const std::string &field) { return entry.has(field); });
}

JournalFingerprint fingerprintOf(const JournalModel::Entry &entry)
{
    std::string last;
    return *JournalFingerprint::of([&](const char *name) {
        last = entry.field(name);
        return std::optional<std::string_view>(last);
    });
}

class Scene
{
public:
    explicit Scene(Program program)
        : m_program(program)
    {
    }

    void run();

private:
    using Reading = JournalReader::Reading;

    void step(char instruction);
    std::uint64_t write(const std::string &nonce = {});
    void writeNonce();
    void copy();
    void open(const std::string &nonce);
    void readToEnd();
    void take(const JournalFingerprint &fingerprint);
    void judgeComplete() const;
    void recover();

    Program m_program;
    JournalModel m_journal;
    JournalReader m_reader{ownRun};
    std::string m_nonce;                            // written last
    std::uint64_t m_nonceEntry = ~std::uint64_t{0}; // that has it
    int m_written = 0;
    bool m_isWhole = false;            // whether the open journal has all files
    std::uint64_t m_begin = 0;         // the entry before the first that the open journal shows
    std::uint64_t m_seen = 0;          // of it, the entry that was seen last
    std::uint64_t m_place = 0;         // as kept
    std::vector<std::uint64_t> m_read; // since the journal was opened
};

std::uint64_t Scene::write(const std::string &nonce)
{
    // Now and then like one before: a message that is repeated.
    const int number = m_written++;
    std::vector<std::string> fields{ownRun, "MESSAGE=" + std::to_string(number / 2)};
    fields.insert(fields.end(), trusted.begin(), trusted.end());
    if (number % 3 == 0)
        fields.push_back("DTLSD_SESSION=" + std::to_string(number % 2));
    if (number % 3 == 0 && number % 2 == 0)
        fields.push_back("DTLSD_SEQUENCE=" + std::to_string(number));
    if (!nonce.empty())
        fields.push_back(nonce);
    return m_journal.write(std::move(fields));
}

void Scene::writeNonce()
{
    m_nonce = "DTLSD_NONCE=" + std::to_string(m_written);
    m_nonceEntry = write(m_nonce);
}

void Scene::copy()
{
    if (m_journal.entries().empty())
        return;
    const auto index = static_cast<std::size_t>(m_program.number()) % m_journal.entries().size();
    auto fields = m_journal.entries()[m_journal.entries().size() - 1 - index].fields;
    const std::string &other = trusted.at(static_cast<std::size_t>(m_program.numberBelow(4)));
    std::replace(fields.begin(), fields.end(), other, other + '1');
    m_journal.write(std::move(fields));
}

void Scene::open(const std::string &nonce)
{
    const int failures = m_journal.failures();
    m_isWhole = !m_journal.isShort();
    const bool isOpen = m_reader.open(nonce);
    require(isOpen == m_reader.isOpen(), "what could be opened is open");
    require(isOpen || !m_reader.problem().empty(), "what could not be opened has a reason");
    require(isOpen || m_journal.failures() > failures, "it is opened if no call fails");
    const auto &entries = m_journal.entries();
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto &entry) {
        return !nonce.empty() && isOurs(entry) && entry.has(nonce);
    });
    m_begin = found == entries.end() || !m_isWhole ? m_place : found->number - 1;
    m_seen = 0;
    m_read.clear();
}

void Scene::take(const JournalFingerprint &fingerprint)
{
    const std::uint64_t number = m_journal.lastStepped;
    const auto entry = m_journal.from(number);
    require(entry != m_journal.entries().end() && entry->number == number && isOurs(*entry),
            "what is read is ours");
    require(fingerprintOf(*entry) == fingerprint, "it is read as it was written");
    require(number > m_seen, "entries are read in order, and once");
    m_seen = number;
    m_read.push_back(number);
}

void Scene::readToEnd()
{
    m_isWhole = m_isWhole && !m_journal.isShort();
    const int failures = m_journal.failures();
    const std::size_t most = 2 + m_journal.entries().size() / 512;
    auto reading = Reading::Unfinished;
    for (std::size_t i = 0; i < most && reading == Reading::Unfinished; ++i)
        reading = m_reader.readOn([this](const auto &fingerprint) { take(fingerprint); });
    require(reading != Reading::Unfinished, "reading comes to an end");
    require((reading == Reading::Failed) == !m_reader.isOpen(), "a failure closes the journal");
    if (m_reader.isOpen() && m_journal.failures() == failures && m_isWhole)
        judgeComplete();
}

/// Vacuumed entries aside, everything of ours behind the beginning was read.
void Scene::judgeComplete() const
{
    for (const JournalModel::Entry &entry : m_journal.entries())
        require(!m_reader.knowsOwn() || entry.number <= m_begin || !isOurs(entry) ||
                    std::binary_search(m_read.begin(), m_read.end(), entry.number),
                "a whole journal that was read to its end has shown everything");
}

void Scene::step(char instruction)
{
    switch (instruction) {
    case 'o':
        for (int count = m_program.number(); count >= 0 && m_written < mostEntries; --count)
            write();
        return;
    case 'n':
        return writeNonce();
    case 'f':
        return copy();
    case 'r':
        return m_journal.rotate();
    case 'v':
        // A copy of a nonce can only come later; this would leave it alone with that nonce.
        return m_journal.vacuum(m_program.number(), m_nonceEntry);
    case 'e': {
        const int after = m_program.number();
        const int count = m_program.number();
        return m_journal.fail(after, count, codes[m_program.numberBelow(std::size(codes))]);
    }
    case 's':
        return m_journal.setShort(!m_journal.isShort());
    case 'g':
        return open(m_program.numberBelow(2) == 0 ? std::string() : m_nonce);
    case 'l':
        return readToEnd();
    case 'k':
        m_reader.keepPlace();
        m_place = std::max(m_place, m_seen);
        return;
    case 'c':
        return m_reader.close();
    default:
        return;
    }
}

void Scene::recover()
{
    m_journal.fail(0, 0, 0);
    m_journal.setShort(false);
    open({});
    readToEnd();
    write();
    readToEnd();
    writeNonce();
    write();
    open(m_nonce);
    require(m_reader.knowsOwn(), "an entry with a nonce tells which are ours");
    readToEnd();
    require(m_read.size() == 2, "from the entry with the nonce on, everything is read");
}

void Scene::run()
{
    while (!m_program.isOver())
        step(m_program.instruction());
    recover();
    m_reader.close();
    require(m_journal.handles == 0, "no handle is left open");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Scene(Program(viewOf(data, size))).run();
    return 0;
}
