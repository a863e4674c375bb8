// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes DtlsServer with real handshakes: the input is a program for devices, for those who stand
// between them and the server, for its operator and for the clock. It first picks a variant of the
// settings; then each instruction is a letter with its arguments (Program.h), and any other byte is
// passed over.
//
//   b device kind                begins, with a new client
//   x device                     lets it and the server talk until both are silent
//   n device                     its next datagram arrives
//   a device                     all of its datagrams arrive as one
//   g device                     all of its datagrams arrive in one turn
//   d device                     its next datagram is lost
//   m device from edits          its next datagram arrives edited, from any address
//   r device                     receives what the server sent it
//   e device answer edits        receives an earlier answer of the server, edited
//   s device bytes               says something
//   q device type epoch sequence wide bytes
//                                sends an authentic record: of a type, in an epoch from the next
//                                on, a sequence number from the next on, and bytes, filled up to a
//                                size
//   c device                     closes its client
//   h datagram from edits        an earlier datagram arrives again, edited
//   j datagram datagram from     two earlier datagrams arrive as one
//   f answer from edits          an answer of the server comes back, edited
//   w from bytes                 bytes arrive
//   t from record                a record arrives
//   k message                    the receipt of a message is given
//   z message wide session       one with a reply of any size, for its session or for no session
//   p amount unit                time passes
//   v variant                    the settings change
//   o credential                 the operator closes the sessions of its identity
//
// What the server promises is in Witness.h; beside that, the honest device must be heard and
// answered whatever happens, also when its address is borrowed.
#include "fuzz/Edit.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/Network.h"
#include "fuzz/PredictableRandom.h"
#include "fuzz/Program.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

using namespace dtlsd;
using namespace dtlsd::fuzz;
using namespace std::chrono_literals;

namespace {

// Failed handshakes beyond 100 are not reported singly, and the witness needs to hear of each.
constexpr int mostArrivals = 64;
// More than a record can hold.
constexpr int mostContent = 16'500;
// Several periods of a cookie's secret.
constexpr std::chrono::milliseconds mostTime = 2h;

QByteArray joined(const std::vector<QByteArray> &datagrams)
{
    QByteArray all;
    for (const QByteArray &datagram : datagrams)
        all += datagram;
    return all;
}

class Interpreter
{
public:
    explicit Interpreter(Program program)
        : m_program(program)
        , m_network(m_program.number())
    {
    }

    void run();

private:
    void step(char instruction);
    void stepOfDevice(char instruction);
    void stepOfStranger(char instruction);
    void stepOfLog(char instruction);
    void stepOfServer(char instruction);
    void seal(int device);
    void talk(int device);
    void forge(int device);
    void receiveForged(int device);
    void arrive(int from, const std::vector<QByteArray> &datagrams);
    QByteArray next(int device);
    std::vector<QByteArray> all(int device);
    QByteArray earlier(const std::vector<QByteArray> &datagrams);

    int device() { return m_program.numberBelow(Network::deviceCount); }
    int address() { return m_program.numberBelow(Network::addressCount); }

    Program m_program;
    Network m_network;
    int m_arrivals = 0;
    std::chrono::milliseconds m_timeLeft = mostTime;
};

void Interpreter::run()
{
    while (!m_program.isOver() && m_arrivals < mostArrivals)
        step(m_program.instruction());
    m_network.end();
}

void Interpreter::step(char instruction)
{
    if (QByteArrayView("bxnagdmresqc").contains(instruction))
        stepOfDevice(instruction);
    else if (QByteArrayView("hjfwt").contains(instruction))
        stepOfStranger(instruction);
    else if (QByteArrayView("kz").contains(instruction))
        stepOfLog(instruction);
    else if (QByteArrayView("pvo").contains(instruction))
        stepOfServer(instruction);
}

void Interpreter::arrive(int from, const std::vector<QByteArray> &datagrams)
{
    m_arrivals += static_cast<int>(datagrams.size());
    if (!datagrams.empty())
        m_network.arrive(from, datagrams);
}

QByteArray Interpreter::next(int device)
{
    auto &outbox = m_network.device(device).outbox;
    if (outbox.empty())
        return {};
    QByteArray datagram = outbox.front();
    outbox.pop_front();
    return datagram;
}

std::vector<QByteArray> Interpreter::all(int device)
{
    const auto outbox = std::exchange(m_network.device(device).outbox, {});
    return {outbox.begin(), outbox.end()};
}

QByteArray Interpreter::earlier(const std::vector<QByteArray> &datagrams)
{
    if (datagrams.empty())
        return {};
    // Counted from the latest.
    const auto index = static_cast<std::size_t>(m_program.number()) % datagrams.size();
    return datagrams[datagrams.size() - 1 - index];
}

void Interpreter::talk(int device)
{
    constexpr int enough = 8;
    for (int i = 0; i < enough; ++i) {
        for (const QByteArray &datagram : all(device))
            arrive(device, {datagram});
        m_network.hear(device);
    }
}

void Interpreter::receiveForged(int device)
{
    const QByteArray answer = earlier(m_network.answers());
    m_network.device(device).inbox.push_back(edited(answer, m_program));
    m_network.hear(device);
}

void Interpreter::stepOfDevice(char instruction)
{
    const int number = device();
    switch (instruction) {
    case 'b':
        return m_network.begin(number, m_program.number());
    case 'x':
        return talk(number);
    case 'n':
        return arrive(number, {next(number)});
    case 'a':
        return arrive(number, {joined(all(number))});
    case 'g':
        return arrive(number, all(number));
    case 'd':
        next(number);
        return;
    case 'm':
        return forge(number);
    case 'r':
        return m_network.hear(number);
    case 'e':
        return receiveForged(number);
    case 's':
        return m_network.say(number, m_program.bytes());
    case 'q':
        return seal(number);
    default:
        return m_network.closeClient(number);
    }
}

void Interpreter::forge(int device)
{
    const QByteArray datagram = next(device);
    const int from = address();
    arrive(from, {edited(datagram, m_program)});
}

void Interpreter::seal(int device)
{
    static constexpr int types[]{23, 21, 22, 20};
    Network::Wanted wanted;
    const int type = m_program.number();
    wanted.type = static_cast<ContentType>(type < int{std::size(types)} ? types[type] : type);
    wanted.epoch = static_cast<std::uint16_t>(1 + ((m_program.number() ^ 0x80) - 0x80));
    wanted.offset = (m_program.number() ^ 0x80) - 0x80;
    const int size = std::min(m_program.wideNumber(), mostContent);
    wanted.content = m_program.bytes();
    if (wanted.content.size() < size)
        wanted.content.resize(size, 'q');
    m_network.seal(device, wanted);
}

void Interpreter::stepOfStranger(char instruction)
{
    QByteArray datagram;
    if (instruction == 'h' || instruction == 'j')
        datagram = earlier(m_network.history());
    if (instruction == 'j')
        datagram += earlier(m_network.history());
    if (instruction == 'f')
        datagram = earlier(m_network.answers());
    const int from = address();
    if (instruction == 'h' || instruction == 'f')
        datagram = edited(datagram, m_program);
    if (instruction == 'w')
        datagram = m_program.bytes();
    if (instruction == 't')
        datagram = recordOf(m_program);
    arrive(from, {datagram});
}

void Interpreter::stepOfLog(char instruction)
{
    const auto &messages = m_network.witness().messages();
    if (messages.empty())
        return;
    const auto index = static_cast<std::size_t>(m_program.number()) % messages.size();
    Outbound receipt = messages[messages.size() - 1 - index].answer();
    if (instruction == 'z') {
        receipt.payload = QByteArray(m_program.wideNumber(), 'z');
        receipt.session.id = m_program.numberBelow(2) == 0 ? receipt.session.id : SessionId{};
    }
    m_network.giveReceipt(receipt);
}

void Interpreter::stepOfServer(char instruction)
{
    static constexpr std::chrono::milliseconds units[]{1ms, 100ms, 1s, 10s};
    if (instruction == 'v')
        return m_network.apply(m_program.number());
    if (instruction == 'o')
        return m_network.closeSessions(m_program.numberBelow(credentialCount));
    const int amount = m_program.number();
    const auto wanted = amount * units[m_program.numberBelow(std::size(units))];
    const auto duration = std::min(wanted, m_timeLeft);
    m_timeLeft -= duration;
    m_network.pass(duration);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    restartRandom();
    Interpreter(Program(viewOf(data, size))).run();
    return 0;
}
