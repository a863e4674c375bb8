// SPDX-License-Identifier: Apache-2.0
//
// What dtls-bench does before and after it measures: its command line, the messages that are under
// way, statistics, the report.
#include "bench/dtls-bench/Arguments.h"
#include "bench/dtls-bench/Report.h"
#include "bench/load/Message.h"
#include "bench/load/MessageBook.h"
#include "bench/load/Statistics.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <optional>

using namespace dtlsd;
using namespace dtlsd::bench;
using namespace std::chrono_literals;

class TestDtlsBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void wrongUsageIsExplained_data();
    void wrongUsageIsExplained();
    void whatIsNotSaidDependsOnTheMode_data();
    void whatIsNotSaidDependsOnTheMode();
    void whatIsSaidIsDone();
    void serversToStartAreTakenApart();
    void aPercentileIsThatOfTheNearestRank_data();
    void aPercentileIsThatOfTheNearestRank();
    void nothingHasNoPercentile();
    void theMedianIsTheMiddle_data();
    void theMedianIsTheMiddle();
    void nothingHasARatioToNothing();
    void anEchoIsKnownByItsNumber();
    void receiptsComeInTheOrderOfMessages();
    void whatIsGivenUpIsNotAnswered();
    void theTableSetsServersBesideTheFirst();
    void jsonHoldsRoundsMediansAndRatios();
};

namespace {

using Parsed = std::variant<Arguments, Arguments::Stop>;

Parsed parse(const QString &words)
{
    QStringList arguments{QStringLiteral("dtls-bench"), QStringLiteral("--psk-env"),
                          QStringLiteral("BENCH_KEY"), QStringLiteral("--psk-identity"),
                          QStringLiteral("bench")};
    for (const QString &word : words.split(u' ', Qt::SkipEmptyParts))
        arguments += word == QLatin1String("SERVE") ? QStringLiteral("serve {port} x=y") : word;
    return Arguments::parse(arguments);
}

Figures figures(double cost, double rate)
{
    return {
        {QLatin1StringView("cost_us"), QLatin1StringView("cost"), QLatin1StringView("us"), cost},
        {QLatin1StringView("rate"), QLatin1StringView("how many"), QLatin1StringView("/s"), rate}};
}

QList<Finding> findings()
{
    return {{QStringLiteral("one"), {figures(9, 100), figures(10, 110), figures(30, 90)}},
            {QStringLiteral("other"), {figures(5, 200), figures(4, 250), figures(8, 300)}}};
}

} // namespace

void TestDtlsBench::initTestCase()
{
    qputenv("BENCH_KEY", "00112233445566778899aabbccddeeff");
}

void TestDtlsBench::wrongUsageIsExplained_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const char *arguments, const char *problem) {
        QTest::newRow(name) << QString::fromLatin1(arguments) << QString::fromLatin1(problem);
    };
    row("no mode", "", "MODE is missing; echo, churn");
    row("no such mode", "ecko 127.0.0.1:1", "ecko is no mode; echo, churn");
    row("no server", "echo", "HOST:PORT is missing");
    row("no port", "echo 127.0.0.1", "127.0.0.1 is no server");
    row("two servers", "echo 127.0.0.1:1 127.0.0.1:2", "too many arguments");
    row("too many clients", "echo --clients 20001 127.0.0.1:1",
        "--clients 20001 is not accepted; 1 to 20000 is");
    row("no clients", "echo --clients 0 127.0.0.1:1", "--clients 0 is not accepted");
    row("a number that is none", "echo --window many 127.0.0.1:1", "--window many is not accepted");
    row("a message too short for its number", "echo --payload 9 127.0.0.1:1", "10 to 1200 is");
    row("a message too large for a datagram", "echo --payload 1201 127.0.0.1:1", "10 to 1200 is");
    row("a duration without unit", "echo --duration 5 127.0.0.1:1", "--duration 5 is no duration");
    row("no time to measure", "echo --duration 0 127.0.0.1:1", "--duration 0 is no duration");
    row("no suite", "echo --ciphers nonsense 127.0.0.1:1", "--ciphers nonsense names no suite");
    row("no process", "echo --pid 0 127.0.0.1:1", "--pid 0 is no process that runs");
    row("a command without a port", "echo --server serve", "does not say where {port} goes");
    row("a contestant without a name", "echo --compare =SERVE", "is not NAME=COMMAND");
    row("a server that is started and there", "echo --server SERVE 127.0.0.1:1",
        "neither HOST:PORT");
    row("a server that is started and compared", "echo --server SERVE --compare a=b",
        "only one of --server and --compare");
    row("rounds of a server that is there", "echo --rounds 2 127.0.0.1:1", "--rounds needs");
    row("no rounds", "echo --server SERVE --rounds 0", "--rounds 0 is not accepted; 1 to 100 is");
    row("two keys", "echo --psk-file x 127.0.0.1:1", "one of --psk-file and --psk-env");
    row("an unknown option", "echo --nonsense 127.0.0.1:1", "nonsense");
}

void TestDtlsBench::wrongUsageIsExplained()
{
    QFETCH(QString, arguments);
    QFETCH(QString, problem);
    const Parsed parsed = parse(arguments);
    const auto *stop = std::get_if<Arguments::Stop>(&parsed);
    QVERIFY(stop != nullptr);
    QCOMPARE(stop->status, 64);
    QVERIFY2(stop->message.contains(problem), qPrintable(stop->message));
}

void TestDtlsBench::whatIsNotSaidDependsOnTheMode_data()
{
    QTest::addColumn<QString>("mode");
    QTest::addColumn<Mode>("parsed");
    QTest::addColumn<std::size_t>("clients");
    QTest::newRow("echo") << QStringLiteral("echo") << Mode::Echo << std::size_t{10};
    QTest::newRow("churn") << QStringLiteral("churn") << Mode::Churn << std::size_t{10};
    QTest::newRow("ramp") << QStringLiteral("ramp") << Mode::Ramp << std::size_t{1000};
    QTest::newRow("blast") << QStringLiteral("blast") << Mode::Blast << std::size_t{10};
    QTest::newRow("storm") << QStringLiteral("storm") << Mode::Storm << std::size_t{200};
}

void TestDtlsBench::whatIsNotSaidDependsOnTheMode()
{
    QFETCH(QString, mode);
    const Parsed parsed = parse(mode + QStringLiteral(" 127.0.0.1:5684"));
    const auto *arguments = std::get_if<Arguments>(&parsed);
    QVERIFY(arguments != nullptr);
    QTEST(arguments->plan.mode, "parsed");
    QTEST(arguments->plan.clients, "clients");
    QCOMPARE(arguments->rounds, 1);
    QVERIFY(!arguments->target.processId);
}

void TestDtlsBench::whatIsSaidIsDone()
{
    const Parsed parsed =
        parse(QStringLiteral("--clients 7 --payload 100 --window 3 --under-way 20 --at-a-time 5 "
                             "--storm 9 --rate 50 --duration 2s --warm-up 0 --timeout 1min --json "
                             "--pid %1 storm 127.0.0.1:5684")
                  .arg(QCoreApplication::applicationPid()));
    const auto *arguments = std::get_if<Arguments>(&parsed);
    QVERIFY(arguments != nullptr);
    const Plan &plan = arguments->plan;
    QCOMPARE(plan.clients, std::size_t{7});
    QCOMPARE(plan.payload, std::size_t{100});
    QCOMPARE(plan.window, std::size_t{3});
    QCOMPARE(plan.underWay, std::size_t{20});
    QCOMPARE(plan.atATime, std::size_t{5});
    QCOMPARE(plan.storm, std::size_t{9});
    QCOMPARE(plan.rate, std::size_t{50});
    QVERIFY(plan.duration == 2s && plan.warmUp == 0s && plan.timeout == 60s);
    QCOMPARE(plan.credentials.identity, QByteArray("bench"));
    QVERIFY(arguments->json);
    QCOMPARE(qint64{arguments->target.processId.value_or(0)}, QCoreApplication::applicationPid());
    QCOMPARE(arguments->target.server.toString(), QStringLiteral("127.0.0.1:5684"));
}

void TestDtlsBench::serversToStartAreTakenApart()
{
    const Parsed parsed = Arguments::parse(
        {QStringLiteral("dtls-bench"), QStringLiteral("--psk-env"), QStringLiteral("BENCH_KEY"),
         QStringLiteral("--psk-identity"), QStringLiteral("bench"), QStringLiteral("--compare"),
         QStringLiteral("a=serve {port} x=y"), QStringLiteral("--compare"),
         QStringLiteral("b=other {port}"), QStringLiteral("churn")});
    const auto *arguments = std::get_if<Arguments>(&parsed);
    QVERIFY(arguments != nullptr);
    QCOMPARE(arguments->contestants.size(), 2);
    QCOMPARE(arguments->contestants[0].name, QStringLiteral("a"));
    QCOMPARE(arguments->contestants[0].command, QStringLiteral("serve {port} x=y"));
    QCOMPARE(arguments->contestants[1].name, QStringLiteral("b"));
    QCOMPARE(arguments->rounds, 5);
}

void TestDtlsBench::aPercentileIsThatOfTheNearestRank_data()
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

void TestDtlsBench::aPercentileIsThatOfTheNearestRank()
{
    QFETCH(double, share);
    std::vector<std::chrono::nanoseconds> times;
    for (int i = 100; i > 0; --i)
        times.emplace_back(i);
    QTEST(static_cast<int>(Latencies(times).percentile(share).count()), "expected");
}

void TestDtlsBench::nothingHasNoPercentile()
{
    QVERIFY(Latencies({}).percentile(0.5) == 0ns);
    QVERIFY(Latencies({7ns}).percentile(0.01) == 7ns);
}

void TestDtlsBench::theMedianIsTheMiddle_data()
{
    QTest::addColumn<QList<double>>("values");
    QTest::addColumn<double>("expected");
    QTest::newRow("of one") << QList<double>{3} << 3.0;
    QTest::newRow("of five, one of them far off") << QList<double>{900, 2, 1, 4, 3} << 3.0;
    QTest::newRow("of two, their mean") << QList<double>{5, 2} << 3.5;
    QTest::newRow("of nothing") << QList<double>{} << 0.0;
}

void TestDtlsBench::theMedianIsTheMiddle()
{
    QFETCH(QList<double>, values);
    QTEST(median({values.begin(), values.end()}), "expected");
}

void TestDtlsBench::nothingHasARatioToNothing()
{
    QCOMPARE(ratio(3, 2), 1.5);
    QCOMPARE(ratio(3, 0), 0.0);
    QCOMPARE(perEach(12, 4), 3.0);
    QCOMPARE(perEach(12, 0), 0.0);
}

void TestDtlsBench::anEchoIsKnownByItsNumber()
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

void TestDtlsBench::receiptsComeInTheOrderOfMessages()
{
    MessageBook book(1, 64);
    const MessageBook::Clock::time_point start{};
    static_cast<void>(book.issue(0, start));
    static_cast<void>(book.issue(0, start + 3ms));
    QVERIFY(book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms) == 5ms);
    QVERIFY(book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms) == 2ms);
    QVERIFY(!book.answer(0, "to 127.0.0.1:9: ACK", start + 5ms));
}

void TestDtlsBench::whatIsGivenUpIsNotAnswered()
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

void TestDtlsBench::theTableSetsServersBesideTheFirst()
{
    const QStringList lines = toTable(findings()).split(u'\n');
    QCOMPARE(lines[0].simplified(), QStringLiteral("one other"));
    QCOMPARE(lines[1].simplified(), QStringLiteral("cost 10.0 5.00 0.500 x us"));
    QCOMPARE(lines[2].simplified(), QStringLiteral("how many 100 250 2.50 x /s"));
}

void TestDtlsBench::jsonHoldsRoundsMediansAndRatios()
{
    Plan plan;
    plan.mode = Mode::Churn;
    const QJsonObject all = QJsonDocument::fromJson(toJson(plan, findings())).object();
    QCOMPARE(all[QStringLiteral("plan")][QStringLiteral("mode")].toString(),
             QStringLiteral("churn"));
    const QJsonObject other = all[QStringLiteral("servers")][1].toObject();
    QCOMPARE(other[QStringLiteral("name")].toString(), QStringLiteral("other"));
    QCOMPARE(other[QStringLiteral("rounds")].toArray().size(), 3);
    QCOMPARE(other[QStringLiteral("rounds")][2][QStringLiteral("cost_us")].toDouble(), 8.0);
    QCOMPARE(other[QStringLiteral("median")][QStringLiteral("cost_us")].toDouble(), 5.0);
    QCOMPARE(other[QStringLiteral("ratio")][QStringLiteral("cost_us")].toDouble(), 0.5);
}

QTEST_GUILESS_MAIN(TestDtlsBench)
#include "tst_dtlsbench.moc"
