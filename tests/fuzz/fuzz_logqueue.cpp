// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes log/LogQueue against a list of what should be in it: the input is a program. It first says
// how many entries and how many bytes (wide) the queue holds; then each instruction is a letter
// with its arguments (Program.h), and any other byte is passed over.
//
//   p source wide        an entry of a source with so many bytes is pushed
//   t number             the log thread takes so many, or what there is
//   n                    it is nudged
//   d                    it asks how many were refused
//   c                    the queue is closed
#include "fuzz/FuzzTarget.h"
#include "fuzz/Program.h"
#include "log/LogQueue.h"

#include <algorithm>
#include <set>
#include <utility>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

struct Waiting
{
    int number = 0;
    std::size_t source = 0;
    std::size_t bytes = 0;
};

class Model
{
public:
    explicit Model(Program program)
        : m_program(program)
        , m_capacity(1 + static_cast<std::size_t>(m_program.number()))
        , m_maximumBytes(1 + static_cast<std::size_t>(m_program.wideNumber()))
        , m_queue(m_capacity, m_maximumBytes)
    {
    }

    void run();

private:
    void step(char instruction);
    void push(std::size_t source, std::size_t bytes);
    void take(std::size_t most);
    [[nodiscard]] Waiting takeNext();
    void judge() const;
    [[nodiscard]] bool isTaken(std::size_t source, std::size_t bytes) const;
    [[nodiscard]] bool isWithin(std::size_t parts, std::size_t bytes) const;
    [[nodiscard]] bool isOwnWithin(std::size_t parts, std::size_t source, std::size_t bytes) const;

    Program m_program;
    const std::size_t m_capacity;
    const std::size_t m_maximumBytes;
    LogQueue m_queue;
    std::vector<Waiting> m_waiting;
    std::vector<std::size_t> m_turns; // sources that wait, the next one first
    int m_pushed = 0;
    std::uint64_t m_dropped = 0;
    std::uint64_t m_droppedTaken = 0;
    bool m_isClosed = false;
};

/// Whether one more entry leaves all that waits within 1 / @p parts of the queue.
bool Model::isWithin(std::size_t parts, std::size_t bytes) const
{
    std::size_t sum = bytes;
    for (const Waiting &entry : m_waiting)
        sum += entry.bytes;
    return (m_waiting.size() + 1) * parts <= m_capacity && sum * parts <= m_maximumBytes;
}

/// The same for what waits of @p source.
bool Model::isOwnWithin(std::size_t parts, std::size_t source, std::size_t bytes) const
{
    std::size_t count = 1;
    std::size_t sum = bytes;
    for (const Waiting &entry : m_waiting) {
        count += entry.source == source ? 1 : 0;
        sum += entry.source == source ? entry.bytes : 0;
    }
    return count * parts <= m_capacity && sum * parts <= m_maximumBytes;
}

bool Model::isTaken(std::size_t source, std::size_t bytes) const
{
    if (m_isClosed || m_waiting.empty())
        return !m_isClosed;
    if (source == 0 || !isWithin(1, bytes))
        return isWithin(1, bytes);
    std::set<std::size_t> sources{source};
    for (const Waiting &entry : m_waiting)
        sources.insert(entry.source);
    return isWithin(2, bytes) || isOwnWithin(2 * sources.size(), source, bytes);
}

void Model::push(std::size_t source, std::size_t bytes)
{
    LogRecord record;
    record.message = QByteArray::number(++m_pushed);
    const auto rest = static_cast<qsizetype>(bytes);
    record.fields.append({"DTLSD_PAYLOAD", QByteArray(rest, 'x'), LogField::Kind::Bytes});
    const std::size_t size = bytes + static_cast<std::size_t>(record.message.size());

    const bool isTaken = this->isTaken(source, size);
    require(m_queue.push({record, nullptr, source}) == isTaken,
            "an entry is taken if there is room for its source, and only then");
    if (!isTaken) {
        ++m_dropped;
        return;
    }
    m_waiting.push_back({m_pushed, source, size});
    if (std::find(m_turns.begin(), m_turns.end(), source) == m_turns.end())
        m_turns.push_back(source);
}

/// The next of the source whose turn it is.
Waiting Model::takeNext()
{
    const std::size_t source = m_turns.front();
    m_turns.erase(m_turns.begin());
    const auto isOfSource = [source](const Waiting &entry) { return entry.source == source; };
    const auto next = std::find_if(m_waiting.begin(), m_waiting.end(), isOfSource);
    const Waiting taken = *next;
    m_waiting.erase(next);
    if (std::any_of(m_waiting.begin(), m_waiting.end(), isOfSource))
        m_turns.push_back(source);
    return taken;
}

void Model::take(std::size_t most)
{
    std::list<LogEntry> batch(1);
    const bool isMore = m_queue.take(batch, most, std::chrono::steady_clock::time_point());
    require(isMore == (!m_isClosed || !batch.empty()),
            "a closed queue ends when it is empty, and no other does");
    require(batch.size() == std::min(most, m_waiting.size()), "as many come out as were wanted");
    for (const LogEntry &taken : batch) {
        const Waiting expected = takeNext();
        require(taken.record.message == QByteArray::number(expected.number) &&
                    taken.source == expected.source,
                "sources take turns, and each one's entries come out as they went in");
    }
}

void Model::judge() const
{
    require(m_queue.size() == m_waiting.size(), "what waits is what was taken");
    require(m_queue.size() <= m_capacity, "the queue is bounded by entries");
    require(m_queue.dropped() == m_dropped, "what is refused is counted");
    require(m_queue.hasAmpleRoom() == (m_waiting.empty() || isWithin(2, 0)),
            "there is ample room while half of it is left");
}

void Model::step(char instruction)
{
    if (instruction == 'p') {
        const auto source = static_cast<std::size_t>(m_program.numberBelow(8));
        push(source, static_cast<std::size_t>(m_program.wideNumber()));
    } else if (instruction == 't') {
        take(1 + static_cast<std::size_t>(m_program.numberBelow(8)));
    } else if (instruction == 'n') {
        m_queue.nudge();
    } else if (instruction == 'd') {
        require(m_queue.takeDropped() == m_dropped - std::exchange(m_droppedTaken, m_dropped),
                "what was refused is reported once");
    } else if (instruction == 'c') {
        m_queue.close();
        m_isClosed = true;
    }
}

void Model::run()
{
    while (!m_program.isOver()) {
        step(m_program.instruction());
        judge();
    }
    take(m_waiting.size() + 1);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Model(Program(viewOf(data, size))).run();
    return 0;
}
