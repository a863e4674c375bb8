// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes dtls/SessionStore as the next process uses it: two stores of a former process, with three
// sessions each, are damaged, and what is taken from them must be as it was. The input is a
// program: a letter with its arguments (Program.h), and any other byte is passed over. A store is
// named by a number, a place in it is wide.
//
//   f store wide bit     a bit is flipped
//   b store wide number  a byte is set
//   c store slot slot    the first slot is copied over the second
//   r store wide         its size is other
//   n store              it is not sealed
//   l store              it is left out
//   t store              there is a copy of it, and of what was done to it so far
//   p                    a process takes stock, and is killed before it has settled
#include "dtls/store/SessionMemory.h"
#include "dtls/store/SessionStore.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/Program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

constexpr int workers = 2;
constexpr int slots = 4; // of a store
constexpr int sessionsEach = 3;
constexpr std::size_t mostStores = 6;
constexpr qsizetype largestStore = qsizetype{1} << 16;

/// All that has to stay as it is for as long as a session lives.
QByteArray identityOf(const SessionSlot &slot)
{
    const auto agreed = slot.association.agreed();
    return QByteArray(reinterpret_cast<const char *>(agreed.data()),
                      static_cast<qsizetype>(agreed.size())) +
           QByteArray::number(static_cast<qulonglong>(slot.id)) + ' ' +
           QByteArray::number(qint64{slot.established}) + ' ' + slot.identityView().toByteArray() +
           QByteArray(reinterpret_cast<const char *>(slot.key.data()), std::ssize(slot.key));
}

/// The numbers that must never go back.
struct Numbers
{
    std::uint64_t nextSequence = 0;
    std::uint64_t top = 0; ///< of the window

    explicit Numbers(const SessionSlot &slot)
        : nextSequence(slot.association.nextSequence)
        , top(slot.association.window.top)
    {
    }
    friend bool operator==(const Numbers &, const Numbers &) = default;
};

/// Stores as a process leaves them that is killed, and the sessions in them.
struct Estate
{
    std::array<QByteArray, workers> images;
    std::map<QByteArray, Numbers> sessions; ///< by identityOf()

    Estate();

    static const Estate &get()
    {
        static const Estate estate;
        return estate;
    }
};

void fill(KeptState &state, int number)
{
    AssociationState &association = *state;
    const auto byte = static_cast<unsigned char>(number + 1);
    association.read.key.fill(byte);
    association.write.key.fill(static_cast<unsigned char>(byte + 100));
    association.suite = 0x00a8; // TLS_PSK_WITH_AES_128_GCM_SHA256
    association.phase = AssociationState::Phase::Open;
    association.nextSequence = 1000 + std::uint64_t{byte};
    association.window.top = 500 + std::uint64_t{byte};
    association.window.seen = 1;
    SessionSlot::KeyMark mark{};
    mark.fill(byte);
    state.noteKey(mark);
    const SocketAddress local = SocketAddress::parse(u"127.0.0.1:22334").value();
    const SocketAddress peer(local.address(), static_cast<std::uint16_t>(1000 + number));
    state.open({.id = SessionId{std::uint64_t{byte}},
                .path = {peer, local},
                .identity = "device-" + QByteArray::number(number)},
               {.path = {peer, local}, .proved = {peer, local}}, SessionSlot::Time{1000});
}

QByteArray contentOf(int descriptor)
{
    QByteArray content(largestStore, '\0');
    const ssize_t size =
        pread(descriptor, content.data(), static_cast<std::size_t>(content.size()), 0);
    require(size >= 0, "a store can be read");
    return content.first(size);
}

/// Where the slot of that number begins; negative: @p image is too small. Slots are at its end.
qsizetype placeOf(const QByteArray &image, int slot)
{
    return image.size() - (slots - slot) * static_cast<qsizetype>(sizeof(SessionSlot));
}

Estate::Estate()
{
    for (int worker = 0; worker < workers; ++worker) {
        auto made = SessionStore::make(static_cast<std::uint8_t>(worker), slots);
        require(made.ok(), "the kernel gives memory for a store");
        const int descriptor = made.value()->descriptor();
        SessionMemory memory(worker);
        memory.add(std::move(made).value());
        std::vector<std::unique_ptr<KeptState>> states;
        for (int i = 0; i < sessionsEach; ++i) {
            states.push_back(std::make_unique<KeptState>(memory));
            fill(*states.back(), worker * sessionsEach + i);
        }
        QByteArray &image = images.at(static_cast<std::size_t>(worker));
        image = contentOf(descriptor);
        for (int i = 0; i < sessionsEach; ++i) {
            SessionSlot slot;
            std::memcpy(&slot, image.constData() + placeOf(image, i), sizeof slot);
            require(slot.isSound(), "a slot is sound once its session is open");
            sessions.emplace(identityOf(slot), Numbers(slot));
        }
    }
}

class Inheritance
{
public:
    explicit Inheritance(Program program)
        : m_program(program)
    {
        for (const QByteArray &image : Estate::get().images)
            m_stores.push_back({.image = image});
    }

    void run()
    {
        while (!m_program.isOver())
            step(m_program.instruction());
        const Sessions taken = takeStock(Way::Settles);
        require(takeStock(Way::Settles) == taken, "the next process takes what this one has taken");
    }

private:
    using Sessions = std::set<QByteArray>;
    enum class Way { Settles, IsKilled };

    struct Store
    {
        QByteArray image;
        bool isSealed = true;
        bool isThere = true;
        std::set<qsizetype> flipped = {}; ///< words with one flipped bit
    };

    void step(char instruction);
    void flip(Store &store);
    void copySlot(QByteArray &image);
    Store &store()
    {
        return m_stores[static_cast<std::size_t>(m_program.number()) % m_stores.size()];
    }
    Sessions takeStock(Way way);
    void judge(const SessionSlot &slot, Sessions &taken) const;

    Program m_program;
    std::vector<Store> m_stores;
    bool m_hasForgeries = false; // numbers may have been made up, their checks included
};

void Inheritance::step(char instruction)
{
    switch (instruction) {
    case 'f':
        return flip(store());
    case 'b': {
        QByteArray &image = store().image;
        const qsizetype place = m_program.wideNumber();
        if (place < image.size())
            image[place] = m_program.instruction();
        m_hasForgeries = true;
        return;
    }
    case 'c':
        return copySlot(store().image);
    case 'r':
        return store().image.resize(m_program.wideNumber(), '\0');
    case 'n':
        store().isSealed = false;
        return;
    case 'l':
        store().isThere = false;
        return;
    case 't':
        if (m_stores.size() < mostStores)
            m_stores.push_back(Store(store()));
        return;
    case 'p':
        takeStock(Way::IsKilled);
        return;
    default:
        return;
    }
}

void Inheritance::flip(Store &store)
{
    const qsizetype place = m_program.wideNumber();
    const int bit = m_program.numberBelow(8);
    if (place >= store.image.size())
        return;
    store.image[place] = static_cast<char>(store.image[place] ^ 1 << bit);
    if (!store.flipped.insert(place / 8).second)
        m_hasForgeries = true; // more than one in a word may be overlooked
}

void Inheritance::copySlot(QByteArray &image)
{
    const qsizetype from = placeOf(image, m_program.numberBelow(slots));
    const qsizetype to = placeOf(image, m_program.numberBelow(slots));
    if (from >= 0 && to >= 0)
        image.replace(to, sizeof(SessionSlot), image.mid(from, sizeof(SessionSlot)));
}

Inheritance::Sessions Inheritance::takeStock(Way way)
{
    std::vector<std::unique_ptr<SessionStore>> opened;
    std::vector<Store *> sources;
    for (Store &store : m_stores) {
        Descriptor descriptor(memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        const auto size = static_cast<std::size_t>(store.image.size());
        require(pwrite(descriptor.number(), store.image.constData(), size, 0) == store.image.size(),
                "the kernel gives memory for a store");
        if (store.isSealed)
            fcntl(descriptor.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        if (!store.isThere)
            continue;
        auto result = SessionStore::open(std::move(descriptor));
        require(result.ok() ? store.isSealed : !result.error().message.isEmpty(),
                "only what is sealed is used; of what is not used is said why");
        if (!result)
            continue;
        opened.push_back(std::move(result).value());
        sources.push_back(&store);
    }
    SessionStore::wipeTwins(opened);
    Sessions taken;
    for (const auto &store : opened)
        store->takeStock([&](SessionSlot &slot) { judge(slot, taken); });
    for (std::size_t i = 0; i < opened.size(); ++i) {
        SessionStore &store = *opened[i];
        if (way == Way::Settles)
            store.settle();
        std::vector<SessionSlot *> free;
        while (SessionSlot *slot = store.claim()) {
            require(store.has(*slot), "a slot is in its store");
            free.push_back(slot);
        }
        require(free.size() <= store.size(), "a store has as many slots as it says");
        for (SessionSlot *slot : free)
            store.release(*slot);
        sources[i]->image = contentOf(store.descriptor());
        sources[i]->flipped.clear();
    }
    return taken;
}

void Inheritance::judge(const SessionSlot &slot, Sessions &taken) const
{
    require(slot.isSound(), "what is taken is sound");
    const QByteArray identity = identityOf(slot);
    const auto known = Estate::get().sessions.find(identity);
    require(known != Estate::get().sessions.end(), "a session is taken as it was");
    require(taken.insert(identity).second, "a session is taken once");
    require(m_hasForgeries || Numbers(slot) == known->second, "no flipped bit changes a number");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Inheritance(Program(viewOf(data, size))).run();
    return 0;
}
