// SPDX-License-Identifier: Apache-2.0
//
// The ServiceManager that other tests rely on, with libsystemd as its client: it keeps descriptors
// as systemd does.
#include "support/ChildProcess.h"
#include "support/JsonFields.h"
#include "support/ServiceManager.h"
#include "support/TestProgram.h"

#include <systemd/sd-daemon.h>

#include <atomic>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// A memfd to be read from its beginning.
int memory(const QByteArray &content = "m")
{
    const int descriptor = memfd_create("memory", MFD_CLOEXEC);
    if (write(descriptor, content.constData(), std::size_t(content.size())) != content.size() ||
        lseek(descriptor, 0, SEEK_SET) != 0)
        qFatal("no memory");
    return descriptor;
}

/// A store that listens to this process.
class Store : public ManagerStore
{
public:
    explicit Store(std::size_t most = 10)
        : ManagerStore(most)
    {
        setMainProcess(getpid());
        qputenv("NOTIFY_SOCKET", QFile::encodeName(path()));
    }
    ~Store() { qunsetenv("NOTIFY_SOCKET"); }
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;

    /// Sends @p state with @p descriptor, which stays open.
    static void tell(const QByteArray &state, int descriptor)
    {
        QVERIFY(sd_pid_notify_with_fds(0, 0, state.constData(), &descriptor, 1) > 0);
    }
    [[nodiscard]] QByteArray names()
    {
        QByteArrayList all;
        for (const PassedDescriptor &one : stored())
            all << one.name;
        return all.join(' ');
    }
};

/// Instead of dtlsd: tells what it has got, and runs on.
class Stand
{
public:
    Stand()
    {
        QFile script(m_directory.filePath(QStringLiteral("stand")));
        const QByteArray text =
            "#!/bin/sh\n"
            "mine=$([ \"$LISTEN_PID\" = $$ ] && echo yes || echo no)\n"
            "read=\n"
            "fd=3\n"
            "while [ $fd -lt $((3 + ${LISTEN_FDS:-0})) ]; do\n"
            "    read=$read$(head -c 1 /proc/self/fd/$fd); fd=$((fd + 1))\n"
            "done\n"
            "echo \"{\\\"event\\\":\\\"started\\\",\\\"mine\\\":\\\"$mine\\\",\\\"names\\\":"
            "\\\"$LISTEN_FDNAMES\\\",\\\"read\\\":\\\"$read\\\"}\"\n"
            "printf 'a line that is not ended'\n"
            "exec sleep 1000\n";
        if (!script.open(QIODevice::WriteOnly) || script.write(text) != text.size() ||
            !script.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner))
            qFatal("no script");
        qputenv("DTLSD_BINARY", QFile::encodeName(script.fileName()));
    }
    ~Stand() { qunsetenv("DTLSD_BINARY"); }
    Stand(const Stand &) = delete;
    Stand &operator=(const Stand &) = delete;

private:
    QTemporaryDir m_directory;
};

} // namespace

class TestServiceManager : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theLastOneStoredIsTheFirst();
    void anOpenFileIsStoredOnce();
    void whatFindsNoRoomIsClosed();
    void allOfANameAreRemoved();
    void aHangupEndsWhatIsPolled();
    void onlyTheMainProcessIsHeard();
    void aBarrierIsPassedInItsTurn();
    void aProcessGetsWhatIsStored();
};

void TestServiceManager::theLastOneStoredIsTheFirst()
{
    Store store;
    const int one = memory();
    const int two = memory();
    Store::tell("FDSTORE=1\nFDNAME=one\nFDPOLL=0", one);
    Store::tell("FDSTORE=1\nFDNAME=a:b\n", two); // is no name
    QCOMPARE(store.names(), QByteArray("stored one"));
    QVERIFY(store.messages().front().says("FDPOLL=0"));
    QCOMPARE(store.messages().front().value("FDNAME"), QByteArray("one"));
    QVERIFY(store.messages().front().value("FDN").isNull());
    close(one);
    close(two);
    QVERIFY(fcntl(store.stored().front().descriptor, F_GETFD) & FD_CLOEXEC);
}

void TestServiceManager::anOpenFileIsStoredOnce()
{
    Store store;
    const int one = memory();
    Store::tell("FDSTORE=1\nFDNAME=one", one);
    Store::tell("FDSTORE=1\nFDNAME=again", one);
    QCOMPARE(store.names(), QByteArray("one"));
    close(one);
}

void TestServiceManager::whatFindsNoRoomIsClosed()
{
    Store store(1);
    int ends[2] = {};
    QCOMPARE(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const int one = memory();
    Store::tell("FDSTORE=1\nFDNAME=one", one);
    Store::tell("FDSTORE=1\nFDNAME=two", ends[1]);
    QCOMPARE(store.names(), QByteArray("one"));
    QCOMPARE(store.refused(), 1);
    close(ends[1]);
    char byte = 0;
    QCOMPARE(read(ends[0], &byte, 1), 0); // nobody has the other end
    close(ends[0]);
    close(one);
}

void TestServiceManager::allOfANameAreRemoved()
{
    Store store;
    for (const char *name : {"one", "two", "one"}) {
        const int descriptor = memory();
        Store::tell(QByteArray("FDSTORE=1\nFDNAME=") + name, descriptor);
        close(descriptor);
    }
    QCOMPARE(store.names(), QByteArray("one two one"));
    sd_notify(0, "FDSTOREREMOVE=1");
    QCOMPARE(store.names(), QByteArray("one two one"));
    sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=one");
    QCOMPARE(store.names(), QByteArray("two"));
}

void TestServiceManager::aHangupEndsWhatIsPolled()
{
    Store store;
    int ends[2] = {};
    QCOMPARE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const int again = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
    Store::tell("FDSTORE=1\nFDNAME=polled", ends[0]);
    Store::tell("FDSTORE=1\nFDNAME=other", again);
    QCOMPARE(store.names(), QByteArray("other polled"));
    close(ends[1]);
    QCOMPARE(store.names(), QByteArray("other"));
    int others[2] = {};
    QCOMPARE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, others), 0);
    Store::tell("FDSTORE=1\nFDNAME=left alone\nFDPOLL=0", others[0]);
    close(others[1]);
    QCOMPARE(store.names(), QByteArray("left alone other"));
    for (const int descriptor : {ends[0], others[0], again})
        close(descriptor);
}

void TestServiceManager::onlyTheMainProcessIsHeard()
{
    Store store;
    store.setMainProcess(1);
    const int one = memory();
    Store::tell("FDSTORE=1\nFDNAME=one", one);
    QVERIFY(store.stored().empty());
    QVERIFY(store.messages().empty());
    close(one);
}

void TestServiceManager::aBarrierIsPassedInItsTurn()
{
    Store store;
    const int one = memory();
    std::atomic<int> result = -1;
    std::thread service([&] {
        sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=one", &one, 1);
        result = sd_notify_barrier(0, 20'000'000);
    });
    QVERIFY(waitUntil([&] { return result >= 0; }, QDeadlineTimer(patience)));
    service.join();
    QVERIFY(result > 0);
    QCOMPARE(store.names(), QByteArray("one"));
    QVERIFY(store.messages().back().says("BARRIER=1"));
    close(one);
}

void TestServiceManager::aProcessGetsWhatIsStored()
{
    const Stand stand;
    const int socket = memory("s");
    ServiceManager manager("", {.sockets = {{socket, "dtlsd.socket"}}});
    manager.store().add({memory("1"), "one"});
    manager.store().add({memory("2"), "two"});
    for (const int time : {1, 2}) {
        QVERIFY(manager.launch());
        QTRY_COMPARE(manager.daemon().events(QStringLiteral("started")).size(), time);
        const QJsonObject told = manager.daemon().events(QStringLiteral("started")).back();
        QCOMPARE(text(told, "mine"), QStringLiteral("yes"));
        QCOMPARE(text(told, "names"), QStringLiteral("dtlsd.socket:two:one"));
        QCOMPARE(text(told, "read"), QStringLiteral("s21"));
        QTRY_COMPARE(manager.daemon().strayLines().size(), time); // one of each process
        QVERIFY(manager.end(SIGKILL));
    }
    QCOMPARE(manager.daemon().strayLines().size(), 2);
    close(socket);
}

DTLSD_TEST(TestServiceManager)
#include "tst_servicemanager.moc"
