// SPDX-License-Identifier: Apache-2.0
//
// A log that stalls, goes away or is closed stops receipts, and nothing else; each entry that it
// costs is counted.
#include "dtls/DtlsClient.h"
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/FreePort.h"
#include "support/JournalInstance.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QJsonDocument>
#include <QSignalSpy>

#include <algorithm>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

QByteArray configuration(std::uint16_t port = 0)
{
    return "[server]\nlisten = 127.0.0.1:" + QByteArray::number(port) +
           "\nworkers = 1\n[log]\nqueue = 64\n[psk]\nfile =\n[identity sensor-17]\nkey = hex:" +
           hexKey + '\n';
}

/// A device that sends without waiting for receipts, and counts them.
class Device
{
public:
    explicit Device(const SocketAddress &server)
    {
        QSignalSpy connected(&m_client, &DtlsClient::connected);
        m_isConnected =
            m_client.connectTo(server) && (connected.wait(qtPatience) || !connected.isEmpty());
    }
    [[nodiscard]] bool isConnected() const { return m_isConnected; }

    void send(int count, const QByteArray &text = "temperature=21.5")
    {
        for (int i = 0; i < count; ++i)
            m_client.send(text);
    }
    [[nodiscard]] qsizetype receipts() const { return m_received.size(); }
    /// Sends one datagram, and waits for its receipt. No other may be under way.
    bool isAnswered()
    {
        const qsizetype before = receipts();
        send(1);
        return waitUntil([&] { return receipts() > before; }, QDeadlineTimer(patience));
    }
    /// Sends until there is a receipt; how often.
    int sendUntilAnswered()
    {
        int sent = 0;
        const qsizetype before = receipts();
        QDeadlineTimer due(0);
        waitUntil(
            [&] {
                if (due.hasExpired()) {
                    send(1);
                    ++sent;
                    due.setRemainingTime(100);
                }
                return receipts() > before;
            },
            QDeadlineTimer(patience));
        return sent;
    }

private:
    DtlsClient m_client{DtlsClient::Options{
        .identity = "sensor-17", .key = PskKey(testKey), .ciphers = {}, .handshakeTimeout = 10s}};
    QSignalSpy m_received{&m_client, &DtlsClient::received};
    bool m_isConnected = false;
};

using Entries = QList<QJsonObject>;

const QString started = QStringLiteral("started");
const QString datagramReceived = QStringLiteral("datagram-received");
const QString sessionOpened = QStringLiteral("session-opened");
const QString entriesDropped = QStringLiteral("entries-dropped");

qint64 droppedIn(const Entries &dropped)
{
    qint64 sum = 0;
    for (const QJsonObject &entry : dropped)
        sum += DaemonProcess::number(entry[QStringLiteral("count")]);
    return sum;
}

/// How the log of @p daemon is doing.
QJsonObject logOf(const DaemonProcess &daemon)
{
    return ControlPeer::ask(daemon.controlSocket(), R"({"command":"status"})")
        .value(QStringLiteral("log"))
        .toObject();
}

/// Until the daemon has tried, it may find the journal there again and lose nothing.
bool hasLost(const DaemonProcess &daemon, int entries)
{
    return DaemonProcess::number(logOf(daemon).value(QStringLiteral("lost"))) >= entries;
}

/// What `health` says is wrong; empty: nothing.
QString complaintOf(const DaemonProcess &daemon)
{
    return ControlPeer::ask(daemon.controlSocket(), R"({"command":"health"})")
        .value(QStringLiteral("error"))
        .toString();
}

bool isStalled(const DaemonProcess &daemon)
{
    return logOf(daemon).value(QStringLiteral("stalled_s")).toDouble() > 0.5;
}

/// The datagrams and new sessions that @p log has or says are lost.
template <class Log>
qint64 keptAndDropped(Log &log)
{
    return log.events(datagramReceived).size() + log.events(sessionOpened).size() +
           droppedIn(log.events(entriesDropped));
}

/// A daemon's standard output that is read only when the test says so.
class Reader
{
public:
    explicit Reader(DaemonProcess &daemon)
    {
        const QString path = daemon.directory() + QStringLiteral("/output");
        const QByteArray name = QFile::encodeName(path);
        if (mkfifo(name.constData(), 0600) == 0)
            m_descriptor = open(name.constData(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        daemon.process().setStandardOutputFile(path);
    }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;
    ~Reader() { closeIt(); }

    void closeIt()
    {
        if (m_descriptor >= 0)
            close(std::exchange(m_descriptor, -1));
    }

    /// All events of that name, as far as they have been written.
    Entries events(const QString &name)
    {
        QByteArray part(65'536, Qt::Uninitialized);
        for (ssize_t size = 0; (size = read(m_descriptor, part.data(), 65'536)) > 0;)
            m_text.append(part.constData(), size);
        Entries result;
        for (const QByteArray &line : m_text.split('\n')) {
            const QJsonObject event = QJsonDocument::fromJson(line).object();
            if (event[QStringLiteral("event")].toString() == name)
                result << event;
        }
        return result;
    }

private:
    int m_descriptor = -1;
    QByteArray m_text;
};

} // namespace

class TestReceipts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aStalledJournalStopsReceiptsAndNothingElse();
    void aJournalThatGoesAndComesBackIsUsedAgain();
    void aJournalThatIsAbsentFromTheStartIsFoundLater();
    void aFullDiskStopsReceiptsUntilThereIsRoom();
    void aFullDiskForLinesStopsReceiptsUntilThereIsRoom();
    void underAutoLinesTakeTheJournalsPlaceAndSaySo();
    void anOutputThatNobodyReadsStopsReceiptsAndNothingElse();
    void aClosedOutputStopsReceiptsAndNothingElse();

private:
    std::unique_ptr<JournalInstance> m_journal;
};

void TestReceipts::init()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
    m_journal = std::make_unique<JournalInstance>();
    QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
}

void TestReceipts::aStalledJournalStopsReceiptsAndNothingElse()
{
    DaemonProcess daemon(configuration(), m_journal.get());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();
    Device device(server);
    QVERIFY(device.isConnected());
    device.send(1);
    QTRY_COMPARE(device.receipts(), 1);

    m_journal->pause();
    const Device another(server); // a handshake needs no log
    QVERIFY(another.isConnected());
    constexpr int sent = 400;
    device.send(sent);
    const Device third(server); // whatever was sent before has been received
    QVERIFY(third.isConnected());
    QCOMPARE(device.receipts(), 1);

    m_journal->resume();
    const int more = device.sendUntilAnswered();
    const auto allAreCounted = [&] { return keptAndDropped(daemon) == 1 + sent + more + 3; };
    QVERIFY(waitUntil(allAreCounted, QDeadlineTimer(patience)));
    const qsizetype entries = daemon.events(datagramReceived).size();
    QTRY_COMPARE(device.receipts(), entries);
    // One identity alone may fill half of the queue; its three sessions have an entry each in it.
    QVERIFY2(entries >= 64 / 2 - 3 && entries < sent, qPrintable(QString::number(entries)));
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::aJournalThatGoesAndComesBackIsUsedAgain()
{
    DaemonProcess daemon(configuration(), m_journal.get());
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Device device(daemon.addresses().constFirst());
    QVERIFY(device.isConnected());
    QVERIFY(device.isAnswered());

    m_journal->kill(); // its socket is a file that nobody serves
    device.send(10);
    QVERIFY(Device(daemon.addresses().constFirst()).isConnected());
    QTRY_VERIFY(hasLost(daemon, 10));
    QCOMPARE(device.receipts(), 1);
    QVERIFY2(m_journal->launch(), qPrintable(m_journal->errorText()));
    const int repeated = device.sendUntilAnswered();

    const auto allAreCounted = [&] { return keptAndDropped(daemon) == 1 + 10 + repeated + 2; };
    QVERIFY(waitUntil(allAreCounted, QDeadlineTimer(patience)));
    QVERIFY(droppedIn(daemon.events(entriesDropped)) >= 10);
    QTRY_COMPARE(device.receipts(), daemon.events(datagramReceived).size());
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::aJournalThatIsAbsentFromTheStartIsFoundLater()
{
    m_journal->kill();
    QVERIFY(QFile::remove(m_journal->outsidePath(QStringLiteral("/run/systemd/journal/socket"))));
    const std::uint16_t port = freePort();
    DaemonProcess daemon(configuration(port), m_journal.get());
    QVERIFY(daemon.launch());
    const QString notice = QStringLiteral("there is no journal at /run/systemd/journal/socket");
    QTRY_VERIFY(daemon.errorText().contains(notice));
    Device device(SocketAddress(QHostAddress(QHostAddress::LocalHost), port));
    QVERIFY(device.isConnected());
    device.send(5);
    QVERIFY(Device(SocketAddress(QHostAddress(QHostAddress::LocalHost), port)).isConnected());
    QTRY_VERIFY(hasLost(daemon, 5));
    QCOMPARE(device.receipts(), 0);

    m_journal->forget();
    QVERIFY2(m_journal->launch(), qPrintable(m_journal->errorText()));
    device.sendUntilAnswered();
    QVERIFY(daemon.waitForEvent(entriesDropped));
    QVERIFY(droppedIn(daemon.events(entriesDropped)) >= 5);
    QTRY_COMPARE(device.receipts(), daemon.events(datagramReceived).size());
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::aFullDiskStopsReceiptsUntilThereIsRoom()
{
    JournalInstance journal({.settings = "RuntimeMaxUse=1G\nRuntimeKeepFree=1\n"
                                         "RuntimeMaxFileSize=1M",
                             .journalSize = "16m",
                             .holdsSockets = false});
    QVERIFY2(journal.start(), qPrintable(journal.errorText()));
    DaemonProcess daemon(configuration(), &journal);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    Device device(daemon.addresses().constFirst());
    QVERIFY(device.isConnected());
    QVERIFY(device.isAnswered());

    QFile filler(journal.outsidePath(JournalInstance::journalDirectory()) +
                 QStringLiteral("/filler"));
    QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    while (filler.write(QByteArray(65'536, '.')) > 0) {
    }
    // The file in use has some room left.
    int sent = 1;
    const auto isFull = [&] {
        const qsizetype before = device.receipts();
        device.send(10, QByteArray(10'000, Qt::Uninitialized));
        sent += 10;
        return !waitUntil([&] { return device.receipts() > before; }, QDeadlineTimer(500)) &&
               hasLost(daemon, 1);
    };
    QVERIFY(waitUntil(isFull, QDeadlineTimer(patience)));
    QVERIFY(Device(daemon.addresses().constFirst()).isConnected());

    QVERIFY(filler.remove());
    sent += device.sendUntilAnswered();
    const auto allAreCounted = [&] { return keptAndDropped(daemon) == sent + 2; };
    QVERIFY(waitUntil(allAreCounted, QDeadlineTimer(patience)));
    QVERIFY(droppedIn(daemon.events(entriesDropped)) > 0);
    QTRY_COMPARE(device.receipts(), daemon.events(datagramReceived).size());
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::aFullDiskForLinesStopsReceiptsUntilThereIsRoom()
{
    JournalInstance disk({.settings = {}, .journalSize = "16m", .holdsSockets = false});
    QVERIFY2(disk.start(), qPrintable(disk.errorText()));
    const QString folder = disk.outsidePath(JournalInstance::journalDirectory());
    const std::uint16_t port = freePort();
    DaemonProcess daemon(configuration(port));
    daemon.process().setStandardOutputFile(folder + QStringLiteral("/lines"));
    QVERIFY(daemon.launch());
    QTRY_VERIFY(!logOf(daemon).isEmpty());
    Device device(SocketAddress(QHostAddress(QHostAddress::LocalHost), port));
    QVERIFY(device.isConnected());
    QVERIFY(device.isAnswered());
    QCOMPARE(complaintOf(daemon), QString());

    QFile filler(folder + QStringLiteral("/filler"));
    QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    while (filler.write(QByteArray(4096, '.')) > 0) {
    }
    const QString why = QStringLiteral("No space left on device");
    const auto isFull = [&] {
        const qsizetype before = device.receipts();
        device.send(10, QByteArray(1000, 'x'));
        return !waitUntil([&] { return device.receipts() > before; }, QDeadlineTimer(500)) &&
               complaintOf(daemon).contains(why);
    };
    QVERIFY2(waitUntil(isFull, QDeadlineTimer(patience)), qPrintable(complaintOf(daemon)));

    QVERIFY(filler.remove());
    QTRY_COMPARE(complaintOf(daemon), QString()); // although nobody sends
    device.sendUntilAnswered();
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::underAutoLinesTakeTheJournalsPlaceAndSaySo()
{
    m_journal->kill();
    QVERIFY(QFile::remove(m_journal->outsidePath(QStringLiteral("/run/systemd/journal/socket"))));
    // As a service whose standard error is the journal's stream, in a system without journald.
    DaemonProcess daemon(configuration());
    const Command inside = m_journal->wrap({QStringLiteral("env"), {}});
    daemon.runBy({QStringLiteral("sh"),
                  QStringList{QStringLiteral("-c"),
                              QStringLiteral("JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) "
                                             "exec \"$@\""),
                              QStringLiteral("sh"), inside.program} +
                      inside.arguments});
    daemon.addArguments({QStringLiteral("--log-target"), QStringLiteral("auto")});
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const Entries warnings = daemon.events(QStringLiteral("configuration-warning"));
    QVERIFY(std::any_of(warnings.begin(), warnings.end(), [](const QJsonObject &warning) {
        return warning[QStringLiteral("message")].toString().contains(
            QStringLiteral("there is no journal at /run/systemd/journal/socket"));
    }));
    Device device(daemon.addresses().constFirst());
    QVERIFY(device.isConnected());
    QVERIFY(device.isAnswered());
    QCOMPARE(daemon.events(datagramReceived).size(), 1);
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::anOutputThatNobodyReadsStopsReceiptsAndNothingElse()
{
    const std::uint16_t port = freePort();
    DaemonProcess daemon(configuration(port));
    Reader reader(daemon);
    QVERIFY(daemon.launch());
    QTRY_VERIFY(!reader.events(started).isEmpty());
    const SocketAddress server(QHostAddress(QHostAddress::LocalHost), port);
    Device device(server);
    QVERIFY(device.isConnected());
    int sent = 0;
    const auto fillThePipe = [&] { // it holds 64 KiB
        device.send(20, QByteArray(1000, 'x'));
        sent += 20;
        return isStalled(daemon);
    };
    QVERIFY(waitUntil(fillThePipe, QDeadlineTimer(patience)));
    device.send(64); // twice as many as still find room in the queue
    sent += 64;
    QVERIFY(Device(server).isConnected());
    QVERIFY(Device(server).isConnected());
    const qsizetype receipts = device.receipts();
    QVERIFY2(receipts < sent / 2, qPrintable(QString::number(receipts)));

    const auto allAreCounted = [&] { return keptAndDropped(reader) == sent + 3; };
    QVERIFY(waitUntil(allAreCounted, QDeadlineTimer(patience)));
    QVERIFY(droppedIn(reader.events(entriesDropped)) > 0);
    QTRY_COMPARE(device.receipts(), reader.events(datagramReceived).size());
    QVERIFY(device.receipts() > receipts);
    QCOMPARE(daemon.stop(), 0);
}

void TestReceipts::aClosedOutputStopsReceiptsAndNothingElse()
{
    const std::uint16_t port = freePort();
    DaemonProcess daemon(configuration(port));
    Reader reader(daemon);
    QVERIFY(daemon.launch());
    QTRY_VERIFY(!reader.events(started).isEmpty());
    reader.closeIt();
    const SocketAddress server(QHostAddress(QHostAddress::LocalHost), port);
    Device device(server);
    QVERIFY(device.isConnected());
    device.send(5);
    QVERIFY(Device(server).isConnected());
    QCOMPARE(device.receipts(), 0);
    QTRY_VERIFY(complaintOf(daemon).contains(QStringLiteral("Broken pipe")));
    QCOMPARE(daemon.stop(), 0);
    // Two sessions, five datagrams, the stopping and two sessions closed: nobody could be told.
    QVERIFY2(daemon.errorText().contains(QStringLiteral("10 entries were lost")),
             qPrintable(daemon.errorText()));
}

DTLSD_TEST(TestReceipts)
#include "tst_receipts.moc"
