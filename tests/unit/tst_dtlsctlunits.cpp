// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"
#include "tools/dtlsctl/Units.h"

using namespace dtlsd;

class TestDtlsctlUnits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void spans_data();
    void spans();
    void sizes_data();
    void sizes();
};

void TestDtlsctlUnits::spans_data()
{
    QTest::addColumn<double>("seconds");
    QTest::addColumn<QString>("text");
    const auto row = [](double seconds, const char *text) {
        QTest::newRow(text) << seconds << QString::fromLatin1(text);
    };
    row(0, "0.0s");
    row(1.54, "1.5s");
    row(9.96, "9s");
    row(59.9, "59s");
    row(60, "1min 0s");
    row(3599, "59min 59s");
    row(3 * 3600 + 12 * 60 + 59, "3h 12min");
    row(2 * 86400 + 5 * 3600, "2d 5h");
    row(1e300, "11574074074d 1h");
}

void TestDtlsctlUnits::spans()
{
    QFETCH(double, seconds);
    QFETCH(QString, text);
    QCOMPARE(spanText(seconds), text);
}

void TestDtlsctlUnits::sizes_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<QString>("text");
    const auto row = [](qint64 bytes, const char *text) {
        QTest::newRow(text) << bytes << QString::fromLatin1(text);
    };
    row(0, "0 B");
    row(1023, "1023 B");
    row(1024, "1.0 KiB");
    row(10239, "10 KiB");
    row((1 << 20) - 1, "1.0 MiB");
    row(34 << 20, "34 MiB");
    row(std::numeric_limits<qint64>::max(), "8.0 EiB");
}

void TestDtlsctlUnits::sizes()
{
    QFETCH(qint64, bytes);
    QFETCH(QString, text);
    QCOMPARE(bytesText(bytes), text);
}

DTLSD_TEST(TestDtlsctlUnits)
#include "tst_dtlsctlunits.moc"
