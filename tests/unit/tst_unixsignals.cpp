// SPDX-License-Identifier: Apache-2.0
#include "support/PatientTest.h"
#include "systemd/UnixSignals.h"

#include <QSignalSpy>
#include <QTemporaryFile>

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/resource.h>
#include <unistd.h>

using namespace dtlsd;

namespace {

bool isBlocked(int number)
{
    sigset_t mask = {};
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, number) == 1;
}

} // namespace

class TestUnixSignals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSignalArrivesInTheEventLoop_data()
    {
        QTest::addColumn<int>("number");
        QTest::newRow("SIGTERM") << SIGTERM;
        QTest::newRow("SIGINT") << SIGINT;
        QTest::newRow("SIGHUP") << SIGHUP;
    }
    void aSignalArrivesInTheEventLoop()
    {
        QFETCH(int, number);
        const UnixSignals unixSignals({SIGTERM, SIGINT, SIGHUP});
        QSignalSpy received(&unixSignals, &UnixSignals::received);
        QCOMPARE(kill(getpid(), number), 0);
        QCOMPARE(received.count(), 0); // not before the loop runs
        QTRY_COMPARE(received.count(), 1);
        QCOMPARE(received[0][0].toInt(), number);
    }

    void severalSignalsArriveEach()
    {
        const UnixSignals unixSignals({SIGTERM, SIGHUP});
        QSignalSpy received(&unixSignals, &UnixSignals::received);
        kill(getpid(), SIGHUP);
        kill(getpid(), SIGTERM);
        QTRY_COMPARE(received.count(), 2);
        kill(getpid(), SIGHUP);
        QTRY_COMPARE(received.count(), 3);
        QCOMPARE(received[2][0].toInt(), SIGHUP);
    }

    void theMaskIsAsItWasAfterwards()
    {
        QVERIFY(!isBlocked(SIGUSR2));
        {
            const UnixSignals unixSignals({SIGUSR2});
            QVERIFY(isBlocked(SIGUSR2));
        }
        QVERIFY(!isBlocked(SIGUSR2));
    }

    void whatIsPendingAtTheEndIsForgotten()
    {
        {
            const UnixSignals unixSignals({SIGUSR1, SIGUSR2});
            QCOMPARE(raise(SIGUSR1), 0);
            QCOMPARE(raise(SIGUSR2), 0);
        }
        QVERIFY(!isBlocked(SIGUSR1)); // and this process lives
    }

    void aBrokenPipeIsAnErrorAndNoDeath()
    {
        ignoreWriteSignals();
        std::array<int, 2> ends{};
        QCOMPARE(pipe(ends.data()), 0);
        close(ends[0]);
        QCOMPARE(write(ends[1], "x", 1), -1);
        QCOMPARE(errno, EPIPE);
        close(ends[1]);
    }

    void aFullFileIsAnErrorAndNoDeath()
    {
        ignoreWriteSignals();
        QTemporaryFile file;
        QVERIFY(file.open());
        rlimit before{};
        QCOMPARE(getrlimit(RLIMIT_FSIZE, &before), 0);
        const rlimit small{1, before.rlim_max};
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
        const ssize_t first = write(file.handle(), "xy", 2);
        const ssize_t second = write(file.handle(), "z", 1);
        const int error = errno;
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &before), 0);
        QCOMPARE(first, 1);
        QCOMPARE(second, -1);
        QCOMPARE(error, EFBIG);
    }
};

int main(int argc, char **argv)
{
    // Qt Test has a thread of its own, which would otherwise get, and die of, what is sent to the
    // process.
    sigset_t mask = {};
    sigemptyset(&mask);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&mask, number);
    pthread_sigmask(SIG_BLOCK, &mask, nullptr);
    const QCoreApplication application(argc, argv);
    TestUnixSignals test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_unixsignals.moc"
