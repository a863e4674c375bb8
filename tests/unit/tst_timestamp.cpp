// SPDX-License-Identifier: Apache-2.0
#include "log/Timestamp.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestTimestamp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void timestampsAreUtc_data()
    {
        QTest::addColumn<qint64>("microseconds");
        QTest::addColumn<QByteArray>("machine");
        QTest::addColumn<QByteArray>("human");
        const auto row = [](const char *name, qint64 time, const char *machine, const char *human) {
            QTest::newRow(name) << time << QByteArray(machine) << QByteArray(human);
        };
        row("the epoch", 0, "1970-01-01T00:00:00.000000Z", "1970-01-01 00:00:00.000Z");
        row("every part has its digits", 1767323045123456, "2026-01-02T03:04:05.123456Z",
            "2026-01-02 03:04:05.123Z");
        row("a leap day", 1709251199999999, "2024-02-29T23:59:59.999999Z",
            "2024-02-29 23:59:59.999Z");
        row("before the epoch", -1, "1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999Z");
    }
    void timestampsAreUtc()
    {
        QFETCH(qint64, microseconds);
        const std::chrono::system_clock::time_point time{std::chrono::microseconds(microseconds)};
        QTEST(machineTimestamp(time), "machine");
        QTEST(humanTimestamp(time), "human");
    }
};

DTLSD_TEST(TestTimestamp)
#include "tst_timestamp.moc"
