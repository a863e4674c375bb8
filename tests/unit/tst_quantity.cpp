// SPDX-License-Identifier: Apache-2.0
#include "core/Quantity.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace std::chrono_literals;

class TestQuantity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aDurationNeedsItsUnit_data();
    void aDurationNeedsItsUnit();
    void aByteSizeIsAPowerOf1024_data();
    void aByteSizeIsAPowerOf1024();
    void oneThingIsNoPlural();
};

void TestQuantity::aDurationNeedsItsUnit_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("milliseconds"); // -1: refused
    QTest::addColumn<QString>("written");
    const auto row = [](const char *text, qint64 value, const char *written) {
        QTest::newRow(text) << QString::fromLatin1(text) << value << QString::fromLatin1(written);
    };
    row("30s", 30'000, "30s");
    row("10min", 600'000, "10min");
    row("90s", 90'000, "90s");
    row("1500ms", 1500, "1500ms");
    row("24h", 86'400'000, "1d");
    row("0", 0, "0");
    row("0s", 0, "0");
    row("30", -1, "");
    row("", -1, "");
    row("s", -1, "");
    row("-1s", -1, "");
    row("1 s", -1, "");
    row("1.5s", -1, "");
    row("10m", -1, "");
    row("106751991168d", -1, "");
    row("99999999999999999999s", -1, "");
}

void TestQuantity::aDurationNeedsItsUnit()
{
    QFETCH(QString, text);
    QFETCH(qint64, milliseconds);
    QFETCH(QString, written);
    const auto duration = parseDuration(text);
    QCOMPARE(duration.has_value(), milliseconds >= 0);
    if (!duration)
        return;
    QCOMPARE(duration->count(), milliseconds);
    QCOMPARE(formatDuration(*duration), written);
    QCOMPARE(parseDuration(written), duration);
}

void TestQuantity::aByteSizeIsAPowerOf1024_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("bytes"); // -1: refused
    QTest::newRow("4M") << QStringLiteral("4M") << qint64{4 << 20};
    QTest::newRow("416K") << QStringLiteral("416K") << qint64{416 << 10};
    QTest::newRow("1500") << QStringLiteral("1500") << qint64{1500};
    QTest::newRow("4MB") << QStringLiteral("4MB") << qint64{-1};
    QTest::newRow("4m") << QStringLiteral("4m") << qint64{-1};
    QTest::newRow("too large") << QStringLiteral("9999999999G") << qint64{-1};
}

void TestQuantity::aByteSizeIsAPowerOf1024()
{
    QFETCH(QString, text);
    QFETCH(qint64, bytes);
    const auto size = parseByteSize(text);
    QCOMPARE(size.value_or(-1), bytes);
    if (size)
        QCOMPARE(formatByteSize(*size), text);
}

void TestQuantity::oneThingIsNoPlural()
{
    QCOMPARE(counted(1, "session"), QStringLiteral("1 session"));
    QCOMPARE(counted(0, "session"), QStringLiteral("0 sessions"));
    QCOMPARE(counted(1, "identity", "identities"), QStringLiteral("1 identity"));
    QCOMPARE(counted(2, "identity", "identities"), QStringLiteral("2 identities"));
}

DTLSD_TEST(TestQuantity)
#include "tst_quantity.moc"
