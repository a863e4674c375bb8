// SPDX-License-Identifier: Apache-2.0
//
// Accounts: whose member gives way, and which worker is asked for it.
#include "dtls/limits/Accounts.h"
#include "support/TestProgram.h"

#include <QByteArray>

#include <map>
#include <memory>
#include <vector>

using namespace dtlsd;

namespace {

using Identities = Accounts<QByteArray>;
constexpr auto finished = Identities::End::Finished;
constexpr auto unfinished = Identities::End::Unfinished;

void enter(Identities &accounts, const QByteArray &account, int worker, int members)
{
    for (int i = 0; i < members; ++i)
        QVERIFY(accounts.enter(account, worker));
}

} // namespace

class TestAccounts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aLimitHoldsForAllTogether();
    void theHeaviestAccountGivesWay();
    void ofEqualAccountsTheAskersOwnGivesWay();
    void whoWasSilentLongestGivesWayWhereverItIs();
    void claimsAreSharedOutAsTheMembersAre();
    void aNewcomerNeverGivesWay();
    void whatIsClaimedCountsNoMoreUntilItIsSettled();
    void whatDiedUnfinishedCountsForAWhile();
    void anAccountKeepsToItsOwnLimit();
};

void TestAccounts::aLimitHoldsForAllTogether()
{
    Identities accounts;
    QVERIFY(accounts.enter("a", 0, 2));
    QVERIFY(accounts.enter("b", 63, 2));
    QVERIFY(!accounts.enter("a", 0, 2));
    QVERIFY(!accounts.enter("c", 1, 2));
    QCOMPARE(accounts.members(), 2);
    accounts.leave("b", 63, finished);
    QVERIFY(accounts.enter("c", 1, 2));
}

void TestAccounts::theHeaviestAccountGivesWay()
{
    Identities accounts;
    enter(accounts, "small", 0, 2);
    enter(accounts, "large", 1, 3);
    QVERIFY(!accounts.claim(5, nullptr, 0));
    const auto claim = accounts.claim(4, nullptr, 0);
    QVERIFY(claim);
    QCOMPARE(claim->account, "large");
    QCOMPARE(claim->worker, 1); // although worker 0 asks
    QVERIFY(accounts.isAsHeavy("large", *claim));
    QVERIFY(!accounts.isAsHeavy("small", *claim));
    accounts.leave("large", 1, finished);
    accounts.settle(*claim);
    accounts.leave("large", 1, finished);
    QCOMPARE(accounts.claim(2, nullptr, 1)->account, "small");
}

void TestAccounts::ofEqualAccountsTheAskersOwnGivesWay()
{
    Identities accounts;
    enter(accounts, "a", 0, 2);
    enter(accounts, "b", 1, 2);
    enter(accounts, "c", 2, 2);
    for (int worker = 0; worker < 3; ++worker) {
        const auto claim = accounts.claim(5, nullptr, worker);
        QVERIFY(claim);
        QCOMPARE(claim->worker, worker);
        accounts.settle(*claim);
    }
}

void TestAccounts::whoWasSilentLongestGivesWayWhereverItIs()
{
    Identities accounts;
    const auto since = [](int time) { return std::make_shared<Identities::Silence>(time); };
    QVERIFY(accounts.enter("a", 0, 0, since(30)));
    QVERIFY(accounts.enter("a", 1, 0, since(20)));
    QVERIFY(accounts.enter("b", 0, 0, since(40)));
    QVERIFY(accounts.enter("b", 2, 0, since(10)));
    for (const int asker : {0, 1, 2}) {
        const auto claim = accounts.claim(3, nullptr, asker);
        QVERIFY(claim);
        QCOMPARE(claim->account, "b");
        QCOMPARE(claim->worker, 2);
        accounts.settle(*claim);
    }
}

void TestAccounts::claimsAreSharedOutAsTheMembersAre()
{
    Identities accounts;
    enter(accounts, "a", 0, 10);
    enter(accounts, "b", 1, 5);
    std::map<QByteArray, int> left{{"a", 10}, {"b", 5}};
    while (const auto claim = accounts.claim(4, nullptr, 0)) // none is settled meanwhile
        --left[claim->account];
    QCOMPARE(left["a"], 2);
    QCOMPARE(left["b"], 2);
}

void TestAccounts::aNewcomerNeverGivesWay()
{
    Identities accounts;
    enter(accounts, "old", 1, 1);
    enter(accounts, "new", 0, 1);
    const QByteArray newcomer = "new";
    const auto claim = accounts.claim(1, &newcomer, 0);
    QVERIFY(claim);
    QCOMPARE(claim->account, "old");
    accounts.settle(*claim);
    accounts.leave("old", 1, finished);
    QVERIFY(!accounts.claim(0, &newcomer, 0)); // there is nobody else
}

void TestAccounts::whatIsClaimedCountsNoMoreUntilItIsSettled()
{
    Identities accounts;
    enter(accounts, "a", 0, 3);
    const auto claim = accounts.claim(2, nullptr, 1);
    QVERIFY(claim);
    QVERIFY(!accounts.claim(2, nullptr, 1)); // one is enough
    accounts.settle(*claim);                 // there was none, after all
    QVERIFY(accounts.claim(2, nullptr, 1));
}

void TestAccounts::whatDiedUnfinishedCountsForAWhile()
{
    Identities accounts;
    Identities::Clock::time_point now{std::chrono::hours(1)};
    accounts.age(now);
    enter(accounts, "fleet", 0, 5);
    enter(accounts, "stranger", 0, 9);
    for (int i = 0; i < 8; ++i)
        accounts.leave("stranger", 0, unfinished);
    const std::vector<QByteArray> both{"fleet", "stranger"};
    const auto all = [](const auto &) { return true; };
    const auto heaviest = [&] { return *accounts.heaviest(both, std::identity(), all); };
    QCOMPARE(accounts.members(), 6);
    QCOMPARE(heaviest(), "stranger");
    QCOMPARE(*accounts.lightest(both.begin(), both.end(), std::identity()), "fleet");
    now += Identities::period;
    accounts.age(now);
    QCOMPARE(heaviest(), "stranger");
    accounts.age(now); // the same period
    QCOMPARE(heaviest(), "stranger");
    now += Identities::period;
    accounts.age(now);
    QCOMPARE(heaviest(), "fleet");
}

void TestAccounts::anAccountKeepsToItsOwnLimit()
{
    Identities accounts;
    enter(accounts, "a", 0, 2);
    enter(accounts, "b", 1, 3);
    QVERIFY(!accounts.claimOfOwn(2, "a", 0, 0));
    enter(accounts, "a", 1, 1);
    const auto claim = accounts.claimOfOwn(2, "a", 1, 1);
    QVERIFY(claim);
    QCOMPARE(claim->account, "a");
    QCOMPARE(claim->worker, 0); // the only other one's; the newcomer is worker 1's
}

DTLSD_TEST(TestAccounts)
#include "tst_accounts.moc"
