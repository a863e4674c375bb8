// SPDX-License-Identifier: Apache-2.0
//
// What the clients of tests/bench count: the messages that are under way, and how long they took.
#include "bench/load/Message.h"
#include "bench/load/MessageBook.h"
#include "bench/load/Statistics.h"
#include "support/TestProgram.h"

#include <string>
#include <vector>

using namespace dtlsd::bench;
using namespace std::chrono_literals;

class TestBenchLoad : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aPercentileIsThatOfTheNearestRank_data();
    void aPercentileIsThatOfTheNearestRank();
    void nothingHasNoPercentile();
    void nothingHasNoShare();
    void aNumberIsReadBack_data();
    void aNumberIsReadBack();
    void anEchoIsKnownByItsNumber();
    void receiptsComeInTheOrderOfMessages();
    void whatIsGivenUpIsNotAnswered();
};

void TestBenchLoad::aPercentileIsThatOfTheNearestRank_data()
{
    QTest::addColumn<double>("share");
    QTest::addColumn<int>("expected");
    QTest::newRow("the shortest") << 0.0 << 1;
    QTest::newRow("the median of 100") << 0.5 << 50;
    QTest::newRow("90 of 100") << 0.9 << 90;
    QTest::newRow("99 of 100") << 0.99 << 99;
    QTest::newRow("more than 99 of 100") << 0.999 << 100;
    QTest::newRow("the longest") << 1.0 << 100;
}

void TestBenchLoad::aPercentileIsThatOfTheNearestRank()
{
    QFETCH(double, share);
    std::vector<std::chrono::nanoseconds> times;
    for (int i = 100; i > 0; --i)
        times.emplace_back(i);
    QTEST(static_cast<int>(Latencies(times).percentile(share).count()), "expected");
}

void TestBenchLoad::nothingHasNoPercentile()
{
    QVERIFY(Latencies({}).percentile(0.5) == 0ns);
    QVERIFY(Latencies({7ns}).percentile(0.01) == 7ns);
}

void TestBenchLoad::nothingHasNoShare()
{
    QCOMPARE(perEach(12, 4), 3.0);
    QCOMPARE(perEach(12, 0), 0.0);
}

void TestBenchLoad::aNumberIsReadBack_data()
{
    QTest::addColumn<std::string>("text");
    QTest::addColumn<std::optional<std::uint64_t>>("expected");
    const auto row = [](const char *name, const std::string &text,
                        std::optional<std::uint64_t> expected) {
        QTest::newRow(name) << text << expected;
    };
    row("of a message", message(1234567890, 12), 1234567890);
    row("of the shortest message", message(7, numberSize), 7);
    row("a receipt has none", "to 127.0.0.1:9: ACK", std::nullopt);
    row("too few digits are none", "000000007", std::nullopt);
    row("digits that end too early are none", "000000007.", std::nullopt);
}

void TestBenchLoad::aNumberIsReadBack()
{
    QFETCH(std::string, text);
    QTEST(readNumber(text), "expected");
}

void TestBenchLoad::anEchoIsKnownByItsNumber()
{
    MessageBook book(2, 12);
    const MessageBook::Clock::time_point start{};
    const std::string first(book.issue(0, start));
    const std::string second(book.issue(0, start + 1ms));
    const std::string third(book.issue(1, start + 2ms));
    QCOMPARE(first, std::string("0000000000.."));
    QCOMPARE(second, message(1, 12));
    QVERIFY(book.answer(0, second, start + 5ms) == 4ms);
    QVERIFY2(!book.answer(0, second, start + 6ms), "it came twice");
    QVERIFY2(!book.answer(0, third, start + 6ms), "it is another client's");
    QVERIFY(book.answer(0, first, start + 7ms) == 7ms);
    QVERIFY(book.answer(1, third, start + 7ms) == 5ms);
    QCOMPARE(book.underWay(), std::size_t{0});
}

void TestBenchLoad::receiptsComeInTheOrderOfMessages()
{
    MessageBook book(1, 64);
    const MessageBook::Clock::time_point start{};
    static_cast<void>(book.issue(0, start));
    static_cast<void>(book.issue(0, start + 3ms));
    QVERIFY(book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms) == 5ms);
    QVERIFY(book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms) == 2ms);
    QVERIFY(!book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms));
}

void TestBenchLoad::whatIsGivenUpIsNotAnswered()
{
    MessageBook book(2, 64);
    const MessageBook::Clock::time_point start{};
    const std::string lost(book.issue(1, start));
    const std::string late(book.issue(0, start + 10ms));
    const auto givenUp = book.giveUp(start + 5ms, start + 1s);
    QCOMPARE(givenUp.size(), std::size_t{1});
    QCOMPARE(givenUp.front().client, std::size_t{1});
    QVERIFY(givenUp.front().waited == 1s);
    QVERIFY(!book.answer(1, lost, start + 1s));
    QCOMPARE(book.underWay(0), std::size_t{1});
    QVERIFY(book.answer(0, late, start + 1s) == 990ms);
}

DTLSD_TEST(TestBenchLoad)
#include "tst_benchload.moc"
