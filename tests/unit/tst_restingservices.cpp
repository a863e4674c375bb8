// SPDX-License-Identifier: Apache-2.0
//
// What a SessionStore remembers of sessions that have ended: the words of those that rest.
#include "dtls/TimeSource.h"
#include "dtls/store/SessionStore.h"
#include "support/StoreCopy.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t resting = SessionSlot::rests | 61'234;
constexpr std::uint64_t ordinary = 0x7f01'0203'f000;

/// A session with that word opens and ends.
void openAndEnd(SessionStore &store, std::uint64_t service)
{
    SessionSlot *slot = store.claim();
    QVERIFY(slot);
    slot->service = service;
    slot->isValid = 1;
    store.release(*slot);
}

QList<std::uint64_t> wordsIn(const SessionStore &store)
{
    QList<std::uint64_t> words;
    for (const SessionStore::Rested &rested : store.resting())
        words += rested.service;
    std::ranges::sort(words);
    return words;
}

} // namespace

class TestRestingServices : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void onlyThoseThatRestAreRemembered();
    void theNextProcessesAreTold();
    void theirSlotsAreUsedLast();
    void aNewSessionHasNoWord();
};

void TestRestingServices::onlyThoseThatRestAreRemembered()
{
    const auto store = std::move(SessionStore::make(0, 8)).value();
    const auto before = TimeSource::sinceBoot();
    openAndEnd(*store, ordinary);
    openAndEnd(*store, 0);
    openAndEnd(*store, resting);
    QCOMPARE(wordsIn(*store), QList<std::uint64_t>{resting});
    const auto since = store->resting().front().since;
    QVERIFY(since >= before && since <= TimeSource::sinceBoot());
}

void TestRestingServices::theNextProcessesAreTold()
{
    const auto first = std::move(SessionStore::make(0, 8)).value();
    openAndEnd(*first, resting);
    const auto since = first->resting().front().since;
    SessionSlot *open = first->claim(); // damaged: it ends with the next process
    open->service = resting + 1;
    open->isValid = 1;
    const auto second = std::move(SessionStore::open(copyOf(*first))).value();
    QCOMPARE(second->takeStock([](SessionSlot &) { QFAIL("none is sound"); }), 1);
    const auto third = std::move(SessionStore::open(copyOf(*second))).value();
    QCOMPARE(third->takeStock([](SessionSlot &) { QFAIL("none is left"); }), 0);
    QCOMPARE(wordsIn(*third), (QList<std::uint64_t>{resting, resting + 1}));
    for (const SessionStore::Rested &rested : third->resting()) // not anew with each process
        QVERIFY(rested.service == resting ? rested.since == since : rested.since >= since);
}

void TestRestingServices::theirSlotsAreUsedLast()
{
    const auto store = std::move(SessionStore::make(0, 4)).value();
    openAndEnd(*store, resting);
    openAndEnd(*store, resting + 1);
    QVERIFY(store->claim());
    QVERIFY(store->claim());
    QCOMPARE(wordsIn(*store), (QList<std::uint64_t>{resting, resting + 1}));
    QVERIFY(store->claim()); // sessions come before what is remembered of others
    QCOMPARE(wordsIn(*store), QList<std::uint64_t>{resting + 1});
    QVERIFY(store->claim());
    QVERIFY(!store->claim());
    QVERIFY(store->resting().empty());
}

void TestRestingServices::aNewSessionHasNoWord()
{
    const auto store = std::move(SessionStore::make(0, 1)).value();
    openAndEnd(*store, resting);
    const SessionSlot *slot = store->claim();
    QCOMPARE(slot->service, std::uint64_t{0});
    QCOMPARE(slot->touched, std::int64_t{0});
}

DTLSD_TEST(TestRestingServices)
#include "tst_restingservices.moc"
