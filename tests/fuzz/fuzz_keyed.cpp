// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes an open session whose device holds its key: whatever it seals is authentic. The input is a
// program: its first number chooses the suite, and whether there are connection IDs; each
// instruction is a letter with its arguments (Program.h), and any other byte is passed over.
//
//   s type bytes     a record of any type and content, the next of the device
//   l size           application data of that size
//   o type back      a record that is that much older than the newest
//   j ahead          the next records are that much newer
//   f edits          application data, edited after it was sealed
//   r                the last record again
//   d                the last two records in one datagram
//   m                from now on the device has another address; nothing without IDs
//   e                the last record again, from elsewhere
//
// A model says what becomes of the session: plaintext arrives once, in order and unchanged;
// close_notify and a fatal alert end it, and nothing else does.
#include "fuzz/Edit.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/PredictableRandom.h"
#include "fuzz/Program.h"
#include "support/KeyedDevice.h"
#include "support/TestSettings.h"

#include <optional>
#include <set>

using namespace dtlsd;
using namespace dtlsd::fuzz;
using test::KeyedDevice;
using test::MemoryNetwork;

namespace {

constexpr int mostSteps = 200;
constexpr int mostMoves = 30;        // more at once are taken for an attack
constexpr std::uint64_t window = 64; // RFC 6347 §4.1.2.6

class Session
{
public:
    explicit Session(Program program)
        : m_program(program)
        , m_device(m_network, MemoryNetwork::clientAddress(1), options(m_program))
    {
        require(m_device.connect(), "a handshake without a disturbance succeeds");
    }

    void run();

private:
    static test::KeyedClient::Options options(Program &program)
    {
        const auto suites = static_cast<int>(test::suiteNames.size());
        const int choice = program.numberBelow(2 * suites);
        test::KeyedClient::Options options;
        options.ciphers = test::suiteNames.at(static_cast<std::size_t>(choice % suites));
        if (choice >= suites)
            options.connectionId = "id";
        return options;
    }

    void step(char instruction);
    ContentType type() { return static_cast<ContentType>(20 + m_program.numberBelow(4)); }
    void send(ContentType type, const QByteArray &content, std::uint64_t sequence);
    void arrive(const QByteArray &datagram);
    void expect(ContentType type, const QByteArray &content, std::uint64_t sequence);
    void check() const;
    [[nodiscard]] bool hasId() const { return !m_device.serverId().isNull(); }

    Program m_program;
    MemoryNetwork m_network{test::everySuite()};
    KeyedDevice m_device;
    std::uint64_t m_next = 1; // behind the Finished
    std::uint64_t m_top = 0;
    std::set<std::uint64_t> m_seen{0};
    QByteArray m_last;
    QByteArrayList m_plaintext;
    std::optional<CloseReason> m_end;
    int m_moves = 0;
};

void Session::run()
{
    for (int i = 0; i < mostSteps && !m_program.isOver(); ++i) {
        step(m_program.instruction());
        check();
    }
}

void Session::step(char instruction)
{
    switch (instruction) {
    case 's': {
        const ContentType its = type();
        const QByteArray content = m_program.bytes();
        return send(its, content, m_next++);
    }
    case 'l':
        return send(ContentType::ApplicationData,
                    QByteArray(m_program.wideNumber() % (Record::maximumPlaintext + 1), 'l'),
                    m_next++);
    case 'o': {
        const ContentType its = type();
        const auto back = static_cast<std::uint64_t>(m_program.number());
        return send(its, "old", m_top - std::min(back, m_top));
    }
    case 'j':
        m_next += static_cast<std::uint64_t>(m_program.number());
        return;
    case 'f': {
        const QByteArray sealed =
            m_device.seal(ContentType::ApplicationData, "forged", 1, m_next++);
        const QByteArray forged = edited(sealed, m_program);
        if (forged != sealed && !forged.contains(sealed))
            arrive(forged);
        return;
    }
    case 'r':
        return arrive(m_last);
    case 'd':
        return arrive(m_last + m_last);
    case 'm':
        if (hasId() && m_moves < mostMoves)
            m_device.moveTo(MemoryNetwork::clientAddress(2 + m_moves++));
        return;
    case 'e':
        m_network.arrive(MemoryNetwork::clientAddress(mostMoves + 2), m_last);
        return;
    default:
        return;
    }
}

void Session::send(ContentType type, const QByteArray &content, std::uint64_t sequence)
{
    m_last = m_device.seal(type, content, 1, sequence);
    expect(type, content, sequence);
    arrive(m_last);
}

void Session::arrive(const QByteArray &datagram)
{
    m_network.arrive(m_device.address(), datagram);
    static_cast<void>(m_network.serverSocket->takeSent());
}

void Session::expect(ContentType type, const QByteArray &content, std::uint64_t sequence)
{
    const bool isNew =
        sequence > m_top || (m_top - sequence < window && !m_seen.contains(sequence));
    // RFC 9146 §5: the type is a byte of the plaintext.
    const bool isTooLong = hasId() && content.size() + 1 > Record::maximumPlaintext;
    if (m_end || !isNew || isTooLong)
        return;
    m_seen.insert(sequence);
    m_top = std::max(m_top, sequence);
    if (type == ContentType::ApplicationData && !content.isEmpty())
        m_plaintext += content;
    if (type == ContentType::Alert && content.size() == 2) {
        if (content[1] == 0 && (content[0] == 1 || content[0] == 2))
            m_end = CloseReason::CloseNotify;
        else if (content[0] == 2)
            m_end = CloseReason::Alert;
    }
}

void Session::check() const
{
    const auto closed = m_network.events<SessionClosed>();
    require(closed.size() == (m_end ? 1U : 0U), "the peer alone ends its session, by an alert");
    require(!m_end || closed.front().reason == *m_end, "the reason is the alert's");
    require(m_network.datagrams.size() == static_cast<std::size_t>(m_plaintext.size()),
            "each message arrives once");
    require(m_plaintext.isEmpty() || m_network.datagrams.back().payload == m_plaintext.last(),
            "a message arrives as it was sealed");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    restartRandom();
    Session(Program(viewOf(data, size))).run();
    return 0;
}
