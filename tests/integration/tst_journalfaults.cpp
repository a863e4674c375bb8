// SPDX-License-Identifier: Apache-2.0
//
// A daemon whose calls of libsystemd fail, with a real journald. Each call fails once and for two
// seconds, at each place where dtlsd makes it, while a device sends numbered messages. Afterwards
// receipts come back by themselves, and no message that was acknowledged is missing.
#include "dtls/DtlsClient.h"
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/JournalFaults.h"
#include "support/JournalInstance.h"
#include "support/TestKey.h"

#include <QFile>
#include <QFileInfo>
#include <QSet>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include <sys/resource.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

const QByteArray configuration =
    "[server]\nlisten = 127.0.0.1:0\nworkers = 1\nreply = echo\n[psk]\nfile =\n"
    "[identity sensor-17]\nkey = hex:" +
    hexKey + '\n';

constexpr std::chrono::milliseconds healing = 5s; // what is promised
constexpr std::chrono::milliseconds outage = 2s;
constexpr auto untilEnded = 5min; // of a fault: until the test ends it

const QString unverifiable = QStringLiteral("log-unverifiable");

/// A device that sends a numbered message every few milliseconds, and remembers the receipts.
class Device
{
public:
    explicit Device(const SocketAddress &server)
    {
        QObject::connect(&m_client, &DtlsClient::received, &m_client,
                         [this](const QByteArray &message) { m_acknowledged << message; });
        QSignalSpy connected(&m_client, &DtlsClient::connected);
        m_isConnected =
            m_client.connectTo(server) && (connected.wait(qtPatience) || !connected.isEmpty());
    }
    [[nodiscard]] bool isConnected() const { return m_isConnected; }

    /// Until @p condition holds; false: it did not by @p deadline.
    bool sendUntil(const std::function<bool()> &condition, QDeadlineTimer deadline)
    {
        QDeadlineTimer due(0);
        return waitUntil(
            [&] {
                if (due.hasExpired()) {
                    m_client.send("message " + QByteArray::number(++s_number));
                    due.setRemainingTime(40);
                }
                return condition();
            },
            deadline);
    }
    /// Whether a message that was not yet sent is acknowledged by @p deadline.
    bool isAnswered(QDeadlineTimer deadline)
    {
        const int before = s_number;
        return sendUntil(
            [&] {
                return std::any_of(
                    m_acknowledged.cbegin(), m_acknowledged.cend(), [&](const QByteArray &message) {
                        return message.sliced(std::strlen("message ")).toInt() > before;
                    });
            },
            deadline);
    }
    [[nodiscard]] const QSet<QByteArray> &acknowledged() const { return m_acknowledged; }
    void forget() { m_acknowledged.clear(); }

private:
    static inline int s_number = 0;
    DtlsClient m_client{DtlsClient::Options{
        .identity = "sensor-17", .key = PskKey(testKey), .ciphers = {}, .handshakeTimeout = 10s}};
    QSet<QByteArray> m_acknowledged;
    bool m_isConnected = false;
};

} // namespace

class TestJournalFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void everyCallIsAmongThePlaces();
    void aCallFails_data();
    void aCallFails();
    void theJournalChangesWhileItCannotBeRead_data();
    void theJournalChangesWhileItCannotBeRead();
    void journaldRotatesWhileThereIsNoFreeDescriptor_data();
    void journaldRotatesWhileThereIsNoFreeDescriptor();
    void theEndIsNoticedWhileNobodySends();

private:
    [[nodiscard]] bool stopDaemon();
    [[nodiscard]] bool startDaemon();
    [[nodiscard]] bool connectDevice();
    /// Makes the daemon open the journal anew.
    void triggerOpening();
    [[nodiscard]] bool isHealthy();
    /// The device sends until the daemon says that it is unhealthy, and for an outage at least.
    [[nodiscard]] bool isUnhealthyInOutage();
    /// The device is answered again, and the daemon says that it is well.
    [[nodiscard]] bool isWellAgain();
    /// Messages that were acknowledged and are not in the journal; those that are are forgotten.
    QSet<QByteArray> missing();
    [[nodiscard]] bool runInside(const QString &program, const QStringList &arguments);
    [[nodiscard]] qint64 lostEntries() const;
    [[nodiscard]] qsizetype said(const char *reason);

    std::unique_ptr<JournalInstance> m_journal;
    QTemporaryDir m_directory;
    JournalFaults *m_faults = nullptr;
    std::unique_ptr<DaemonProcess> m_daemon;
    std::unique_ptr<Device> m_device;
};

void TestJournalFaults::initTestCase()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
    m_journal = std::make_unique<JournalInstance>();
    QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
    m_faults = JournalFaults::in(QFile::encodeName(m_directory.filePath(QStringLiteral("faults"))));
    QVERIFY(m_faults);
    QVERIFY(startDaemon() && connectDevice());
    triggerOpening(); // for the places that are met then only
    QVERIFY(m_device->isAnswered(QDeadlineTimer(patience)));
    QVERIFY(m_faults->count > 0);
}

void TestJournalFaults::cleanup()
{
    if (m_faults) {
        for (JournalFaults::Fault &fault : m_faults->faults)
            fault.error = 0;
    }
}

bool TestJournalFaults::stopDaemon()
{
    m_device.reset();
    return m_daemon->stop() == 0;
}

bool TestJournalFaults::startDaemon()
{
    m_daemon = std::make_unique<DaemonProcess>(configuration, m_journal.get());
    m_daemon->setEnvironment(QStringLiteral("LD_PRELOAD"), QStringLiteral(DTLSD_JOURNAL_FAULTS));
    m_daemon->setEnvironment(QLatin1String(JournalFaults::variable),
                             m_directory.filePath(QStringLiteral("faults")));
    return m_daemon->start();
}

bool TestJournalFaults::connectDevice()
{
    m_device = std::make_unique<Device>(m_daemon->addresses().constFirst());
    return m_device->isConnected() && m_device->isAnswered(QDeadlineTimer(patience));
}

void TestJournalFaults::triggerOpening()
{
    m_faults->faults[1].set(m_faults->placeOf("sd_journal_process"), EBADMSG, untilEnded, 1);
}

bool TestJournalFaults::isHealthy()
{
    return ControlPeer::ask(m_daemon->controlSocket(), R"({"command":"health"})")
        .value(QStringLiteral("ok"))
        .toBool();
}

bool TestJournalFaults::isUnhealthyInOutage()
{
    bool wasUnhealthy = false;
    const QDeadlineTimer end(outage);
    QDeadlineTimer due(0);
    const auto isOver = [&] {
        if (due.hasExpired()) {
            wasUnhealthy = wasUnhealthy || !isHealthy();
            due.setRemainingTime(100);
        }
        return wasUnhealthy && end.hasExpired();
    };
    return m_device->sendUntil(isOver, QDeadlineTimer(patience));
}

bool TestJournalFaults::isWellAgain()
{
    return m_device->isAnswered(QDeadlineTimer(patience)) &&
           waitUntil([this] { return isHealthy(); }, QDeadlineTimer(patience));
}

QSet<QByteArray> TestJournalFaults::missing()
{
    QSet<QByteArray> result = m_device->acknowledged();
    m_device->forget();
    for (const QJsonObject &entry :
         m_journal->entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 0))
        result.remove(JournalInstance::bytes(entry[QStringLiteral("DTLSD_PAYLOAD")]));
    return result;
}

bool TestJournalFaults::runInside(const QString &program, const QStringList &arguments)
{
    ChildProcess process;
    return process.run(m_journal->wrap({program, arguments})) && process.waitForEnd() &&
           process.exitCode() == 0;
}

/// How often the daemon has logged log-unverifiable.
qsizetype TestJournalFaults::said(const char *reason)
{
    const DaemonProcess::Events events = m_daemon->events(unverifiable);
    return std::count_if(events.begin(), events.end(), [reason](const QJsonObject &event) {
        return event[QStringLiteral("reason")].toString() == QLatin1String(reason);
    });
}

void TestJournalFaults::everyCallIsAmongThePlaces()
{
    const QString nm = QStandardPaths::findExecutable(QStringLiteral("nm"));
    if (nm.isEmpty())
        QSKIP("nm is not installed");
    ChildProcess process;
    QVERIFY(process.run(
        {nm,
         {QStringLiteral("-D"), QStringLiteral("--undefined-only"), DaemonProcess::program()}}));
    QVERIFY(process.waitForEnd());
    QStringList unmet;
    for (const QByteArray &line : process.readAllStandardOutput().split('\n')) {
        const QByteArray function = line.mid(line.lastIndexOf(' ') + 1).split('@').constFirst();
        if (function.startsWith("sd_journal_") &&
            m_faults->placeOf({function.constData(), static_cast<std::size_t>(function.size())}) ==
                m_faults->count)
            unmet << QString::fromLatin1(function);
    }
    unmet.sort();
    QCOMPARE(unmet, (QStringList{QStringLiteral("sd_journal_close"),
                                 QStringLiteral("sd_journal_flush_matches")})); // cannot fail
}

void TestJournalFaults::aCallFails_data()
{
    QTest::addColumn<std::uint32_t>("place");
    QTest::addColumn<int>("error");
    QTest::addColumn<bool>("isOutage");
    constexpr std::array errors{EMFILE, ENFILE, ENOMEM, EIO, EBADMSG};
    for (std::uint32_t place = 0; place < m_faults->count; ++place) {
        const char *function = m_faults->places[place].function.data();
        const int error = errors.at(place % errors.size());
        QTest::addRow("%s at place %u fails once", function, place) << place << error << false;
        QTest::addRow("%s at place %u fails for two seconds", function, place)
            << place << error << true;
    }
    const std::uint32_t data = m_faults->placeOf("sd_journal_get_data");
    QTest::addRow("sd_journal_get_data finds no field once") << data << ENOENT << false;
    const std::uint32_t open = m_faults->placeOf("sd_journal_open");
    QTest::addRow("sd_journal_open finds no journal for two seconds") << open << ENOENT << true;
}

void TestJournalFaults::aCallFails()
{
    QFETCH(std::uint32_t, place);
    QFETCH(int, error);
    QFETCH(bool, isOutage);
    const JournalFaults::Place &there = m_faults->places[place];
    const bool isSending = std::strcmp(there.function.data(), "sd_journal_sendv") == 0;
    const std::uint32_t before = there.failures;
    qsizetype wentBefore = said("unreadable");
    const auto hasFailed = [&] { return there.failures > before; };
    JournalFaults::Fault &fault = m_faults->faults[0];
    const int times = isOutage ? INT_MAX : 1;

    fault.set(place, error, untilEnded, times);
    triggerOpening();
    if (m_device->sendUntil(hasFailed, QDeadlineTimer(outage))) {
        QVERIFY(!isOutage || isUnhealthyInOutage());
        fault.error = 0;
    } else { // it is called at the start only
        fault.error = 0;
        QVERIFY(stopDaemon());
        wentBefore = 0;
        fault.set(place, error, untilEnded, times);
        QVERIFY(startDaemon());
        QVERIFY(waitUntil(hasFailed, QDeadlineTimer(patience)));
        fault.ends = JournalFaults::now() + std::chrono::nanoseconds(outage).count();
        QVERIFY(connectDevice());
    }
    QVERIFY(isWellAgain());
    QCOMPARE(missing(), QSet<QByteArray>());
    QCOMPARE(said("unreadable"), said("readable"));
    if (isOutage) {
        QCOMPARE(said("unreadable") - wentBefore, isSending ? 0 : 1);
    }
}

void TestJournalFaults::theJournalChangesWhileItCannotBeRead_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("rotated") << QStringList{QStringLiteral("--rotate")};
    QTest::newRow("rotated and vacuumed")
        << QStringList{QStringLiteral("--rotate"), QStringLiteral("--vacuum-files=1")};
    QTest::newRow("restarted") << QStringList();
}

void TestJournalFaults::theJournalChangesWhileItCannotBeRead()
{
    QFETCH(QStringList, arguments);
    QVERIFY(m_device->isAnswered(QDeadlineTimer(patience)));
    m_faults->faults[0].set(m_faults->placeOf("sd_journal_open"), EMFILE, untilEnded, INT_MAX);
    triggerOpening();
    QVERIFY(isUnhealthyInOutage());
    QCOMPARE(missing(), QSet<QByteArray>()); // before they are vacuumed
    if (arguments.isEmpty()) {
        m_journal->kill();
        QVERIFY2(m_journal->launch(), qPrintable(m_journal->errorText()));
    } else {
        QVERIFY(runInside(QStringLiteral("journalctl"), arguments));
    }
    QVERIFY(!isHealthy());
    m_faults->faults[0].error = 0;
    QVERIFY(isWellAgain());
    QCOMPARE(missing(), QSet<QByteArray>());
}

void TestJournalFaults::journaldRotatesWhileThereIsNoFreeDescriptor_data()
{
    QTest::addColumn<bool>("isJournalClosed");
    QTest::newRow("not even for what it closes") << true;
    QTest::newRow("but for what it closes") << false;
}

qint64 TestJournalFaults::lostEntries() const
{
    return DaemonProcess::number(
        ControlPeer::ask(m_daemon->controlSocket(), R"({"command":"status"})")
            .value(QStringLiteral("log"))
            .toObject()[QStringLiteral("lost")]);
}

void TestJournalFaults::journaldRotatesWhileThereIsNoFreeDescriptor()
{
    QFETCH(bool, isJournalClosed);
    QVERIFY(m_device->isAnswered(QDeadlineTimer(patience)));
    const qsizetype unreadable = said("unreadable");
    const qsizetype readable = said("readable");
    const auto process = static_cast<pid_t>(m_daemon->process().processId());
    const qint64 lost = lostEntries();
    rlimit allowed = {};
    QCOMPARE(prlimit(process, RLIMIT_NOFILE, nullptr, &allowed), 0);
    rlimit none = allowed;
    // Those of the journal are free when that is opened anew, but for further files they are few.
    none.rlim_cur = 3;
    while (!isJournalClosed &&
           QFileInfo(QStringLiteral("/proc/%1/fd/%2").arg(process).arg(none.rlim_cur)).isSymLink())
        ++none.rlim_cur;
    QCOMPARE(prlimit(process, RLIMIT_NOFILE, &none, nullptr), 0);
    for (int i = 0; i < 3; ++i) {
        QVERIFY(runInside(QStringLiteral("journalctl"), {QStringLiteral("--rotate")}));
        m_device->sendUntil([] { return false; }, QDeadlineTimer(500));
    }
    QCOMPARE(missing(), QSet<QByteArray>());
    QCOMPARE(prlimit(process, RLIMIT_NOFILE, &allowed, nullptr), 0);
    QVERIFY(isWellAgain());
    QCOMPARE(missing(), QSet<QByteArray>());
    QVERIFY(said("unreadable") > unreadable || !isJournalClosed);
    QCOMPARE(said("unreadable") - unreadable, said("readable") - readable);
    QCOMPARE(lostEntries(), lost); // they are all in the journal
}

void TestJournalFaults::theEndIsNoticedWhileNobodySends()
{
    QVERIFY(m_device->isAnswered(QDeadlineTimer(patience)));
    m_faults->faults[0].set(m_faults->placeOf("sd_journal_open"), EMFILE, untilEnded, INT_MAX);
    triggerOpening();
    QVERIFY(m_device->sendUntil([&] { return !isHealthy(); }, QDeadlineTimer(patience)));
    const auto answer = [&] {
        return ControlPeer::ask(m_daemon->controlSocket(), R"({"command":"status"})")
            .value(QStringLiteral("log"))
            .toObject();
    };
    const auto isGivenUp = [&] {
        return DaemonProcess::number(answer()[QStringLiteral("unverified")]) > 0;
    };
    QVERIFY(waitUntil(isGivenUp, QDeadlineTimer(patience)));
    QCOMPARE(answer()[QStringLiteral("obstacle")].toString(),
             QStringLiteral("sd_journal_open: Too many open files"));
    m_faults->faults[0].error = 0;
    QVERIFY(waitUntil([&] { return isHealthy(); }, QDeadlineTimer(2 * healing)));
    QCOMPARE(answer()[QStringLiteral("obstacle")].toString(), QString());
    QVERIFY(m_device->isAnswered(QDeadlineTimer(patience)));
    QCOMPARE(missing(), QSet<QByteArray>());
    QCOMPARE(m_daemon->stop(), 0);
}

QTEST_GUILESS_MAIN(TestJournalFaults)
#include "tst_journalfaults.moc"
