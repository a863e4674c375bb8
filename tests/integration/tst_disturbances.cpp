// SPDX-License-Identifier: Apache-2.0
//
// Fifty devices send numbered messages while the daemon is killed, its calls of libsystemd fail, it
// has no free descriptor, journald is stopped, killed and rotates, and the network loses, repeats
// and delays datagrams, all at random moments of a seed. In the end
// every message for which a device holds a receipt is in the journal.
//
// In half of the rounds the journal's sockets outlive journald, as under systemd, in the others
// they die with it. `DTLSD_ROUNDS=200` runs more of them, `DTLSD_ROUND_SEED=17` one alone, and
// tells what was done in it.
#include "support/DaemonProcess.h"
#include "support/JournalFaults.h"
#include "support/JournalInstance.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"
#include "support/Relay.h"
#include "support/TestKey.h"

#include <QElapsedTimer>
#include <QFile>
#include <QHash>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <memory>
#include <random>
#include <vector>

#include <sys/resource.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int usualRounds = 4;
#else
constexpr int usualRounds = 10;
#endif
constexpr int devices = 50;
constexpr int messagesEach = 60;
constexpr int disturbances = 6;
constexpr std::chrono::milliseconds disturbed = 2s; // from the first message on
constexpr auto deadline = 120s;                     // for the rest, undisturbed

/// What is done to the daemon and its journal, and when.
class Disturber
{
public:
    Disturber(std::uint64_t seed, DaemonProcess &daemon, JournalInstance &journal,
              JournalFaults &faults)
        : m_engine(seed)
        , m_daemon(daemon)
        , m_journal(journal)
        , m_faults(faults)
    {
    }

    /// false: something did not come back.
    bool run()
    {
        m_clock.start();
        std::vector<std::chrono::milliseconds> moments(disturbances);
        for (auto &moment : moments)
            moment = upTo(disturbed);
        std::sort(moments.begin(), moments.end());
        for (const auto moment : moments) {
            wait(moment - std::chrono::milliseconds(m_clock.elapsed()));
            if (!disturb())
                return false;
        }
        return true;
    }
    [[nodiscard]] QString account() const { return m_account.join(u'\n'); }

private:
    bool disturb()
    {
        switch (m_engine() % 6) {
        case 0:
            return restartDaemon();
        case 1:
            return restartJournald();
        case 2:
            pauseJournald();
            return true;
        case 3:
            letCallsFail();
            return true;
        case 4:
            return takeDescriptors();
        default: // stopped with datagrams unread, and killed so
            say("journald stopped");
            m_journal.pause();
            wait(upTo(300ms));
            return restartJournald();
        }
    }

    bool restartDaemon()
    {
        say("daemon killed");
        m_daemon.process().kill();
        if (!m_daemon.process().waitForEnd())
            return false;
        QFile::remove(m_daemon.controlSocket()); // its successor's says that it has started
        wait(upTo(300ms));
        say("daemon started");
        return m_daemon.launch();
    }

    bool restartJournald()
    {
        say("journald killed");
        m_journal.kill();
        wait(upTo(300ms));
        say("journald started");
        return m_journal.launch();
    }

    void pauseJournald()
    {
        say("journald stopped");
        m_journal.pause();
        wait(upTo(800ms));
        say("journald goes on");
        m_journal.resume();
    }

    /// At one of the places that were met until now, and where the journal is opened, which would
    /// otherwise heal most of it at once.
    void letCallsFail()
    {
        constexpr std::array errors{EMFILE, ENFILE, ENOMEM, EIO, EBADMSG, ENOENT};
        const auto place =
            static_cast<std::uint32_t>(m_engine() % std::max<std::uint64_t>(m_faults.count, 1));
        const int error = errors.at(m_engine() % errors.size());
        const auto time = upTo(800ms);
        const int times = m_engine() % 2 == 0 ? 1 : INT_MAX;
        m_faults.faults[0].set(place, error, time, times);
        m_faults.faults[1].set(m_faults.placeOf("sd_journal_process"), EBADMSG, time, 1);
        say(m_faults.places[place].function.data());
        wait(time);
    }

    bool takeDescriptors()
    {
        // A process without descriptors cannot start, which is not what this is about.
        if (!waitUntil([this] { return QFile::exists(m_daemon.controlSocket()); },
                       QDeadlineTimer(patience)))
            return false;
        say("no free descriptor");
        const auto process = static_cast<pid_t>(m_daemon.process().processId());
        rlimit limit = {};
        if (prlimit(process, RLIMIT_NOFILE, nullptr, &limit) != 0)
            return false;
        const rlimit none{3, limit.rlim_max};
        if (prlimit(process, RLIMIT_NOFILE, &none, nullptr) != 0)
            return false;
        ChildProcess rotation;
        const bool rotated = rotation.run(m_journal.wrap(
                                 {QStringLiteral("journalctl"), {QStringLiteral("--rotate")}})) &&
                             rotation.waitForEnd();
        wait(upTo(800ms));
        say("descriptors again");
        return prlimit(process, RLIMIT_NOFILE, &limit, nullptr) == 0 && rotated;
    }

    std::chrono::milliseconds upTo(std::chrono::milliseconds limit)
    {
        return std::chrono::milliseconds(m_engine() % static_cast<unsigned>(limit.count()));
    }

    /// Devices and relay go on meanwhile.
    static void wait(std::chrono::milliseconds time)
    {
        waitUntil([] { return false; }, QDeadlineTimer(std::max(time, 0ms)));
    }

    void say(const char *what)
    {
        m_account << QStringLiteral("%1 ms: %2").arg(m_clock.elapsed()).arg(QLatin1String(what));
    }

    std::mt19937_64 m_engine;
    DaemonProcess &m_daemon;
    JournalInstance &m_journal;
    JournalFaults &m_faults;
    QElapsedTimer m_clock;
    QStringList m_account;
};

FaultPlan badNetwork(std::uint64_t seed)
{
    const FaultRates rates{
        .drop = 0.03, .delay = 0.03, .reorder = 0.03, .duplicate = 0.03, .truncate = 0.01};
    return {.toServer = rates, .toClient = rates, .longestDelay = 200ms, .seed = seed * 10'000};
}

QByteArray configuration(const QByteArray &identity, std::uint16_t port)
{
    return "[server]\nlisten = 127.0.0.1:" + QByteArray::number(port) +
           "\nworkers = 2\nreply = echo\n[log]\nqueue = 1024\n[psk]\nfile =\n[identity " +
           identity + "]\nkey = hex:" + hexKey + '\n';
}

/// One device each, with messages that nobody else sends.
std::unique_ptr<PersistentDevice> makeDevice(const QByteArray &identity, int number,
                                             const SocketAddress &server)
{
    return std::make_unique<PersistentDevice>(PersistentDevice::Task{
        .makeLink =
            [identity] {
                return std::make_unique<OwnLink>(DtlsClient::Options{.identity = identity,
                                                                     .key = PskKey(testKey),
                                                                     .ciphers = {},
                                                                     .handshakeTimeout = 2500ms});
            },
        .server = server,
        .messages = PersistentDevice::messagesOf(number, messagesEach),
        .handshakes = 100,
        .repeatAfter = 150ms,
        .pause = 20ms,
        .patience = 6});
}

} // namespace

class TestDisturbances : public QObject
{
    Q_OBJECT

public:
    /// The process has entered the namespace of @p held, if there is no @p obstacle.
    TestDisturbances(JournalInstance &held, QString obstacle)
        : m_held(held)
        , m_obstacle(std::move(obstacle))
    {
    }

private Q_SLOTS:
    void initTestCase();
    void whatIsAcknowledgedIsInTheJournal_data();
    void whatIsAcknowledgedIsInTheJournal();

private:
    JournalInstance &m_held;
    JournalInstance m_unheld;
    const QString m_obstacle;
    const QTemporaryDir m_directory;
    JournalFaults *m_faults = nullptr; // shared with all daemons
    int m_acknowledged = 0;
    int m_repeated = 0;
};

void TestDisturbances::initTestCase()
{
    if (!m_obstacle.isEmpty())
        QSKIP(qPrintable(m_obstacle));
    QVERIFY2(m_held.start(), qPrintable(m_held.errorText()));
    QVERIFY2(m_unheld.start(), qPrintable(m_unheld.errorText()));
    m_faults = JournalFaults::in(QFile::encodeName(m_directory.filePath(QStringLiteral("faults"))));
    QVERIFY(m_faults);
}

void TestDisturbances::whatIsAcknowledgedIsInTheJournal_data()
{
    QTest::addColumn<quint64>("seed");
    const auto add = [](quint64 seed) {
        QTest::addRow("of seed %llu", static_cast<unsigned long long>(seed)) << seed;
    };
    if (qEnvironmentVariableIsSet("DTLSD_ROUND_SEED")) {
        add(qEnvironmentVariable("DTLSD_ROUND_SEED").toULongLong());
        return;
    }
    const quint64 rounds =
        qEnvironmentVariable("DTLSD_ROUNDS", QString::number(usualRounds)).toULongLong();
    for (quint64 seed = 1; seed <= rounds; ++seed)
        add(seed);
}

void TestDisturbances::whatIsAcknowledgedIsInTheJournal()
{
    QFETCH(quint64, seed);
    JournalInstance &journal = seed % 2 == 0 ? m_held : m_unheld;
    journal.kill();
    journal.forget();
    QVERIFY2(journal.launch(), qPrintable(journal.errorText()));

    const QByteArray identity = "round-" + QByteArray::number(seed);
    DaemonProcess daemon(configuration(identity, 0), &journal);
    daemon.setEnvironment(QStringLiteral("LD_PRELOAD"), QStringLiteral(DTLSD_JOURNAL_FAULTS));
    daemon.setEnvironment(QLatin1String(JournalFaults::variable),
                          m_directory.filePath(QStringLiteral("faults")));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const SocketAddress server = daemon.addresses().constFirst();
    daemon.setConfig(configuration(identity, server.port())); // for the next start
    Relay relay(server, badNetwork(seed));
    std::vector<std::unique_ptr<PersistentDevice>> fleet;
    for (int number = 1; number <= devices; ++number) {
        fleet.push_back(makeDevice(identity, number, relay.address()));
        fleet.back()->start();
    }
    Disturber disturber(seed, daemon, journal, *m_faults);
    const bool cameBack = disturber.run();
    const auto isOver = [](const auto &device) { return device->isOver(); };
    const auto allAreOver = [&] { return std::all_of(fleet.begin(), fleet.end(), isOver); };
    const bool finished = waitUntil(allAreOver, QDeadlineTimer(deadline));
    for (const auto &device : fleet)
        device->close();
    if (!cameBack || !finished || qEnvironmentVariableIsSet("DTLSD_ROUND_SEED"))
        qInfo("%s\n%s", qPrintable(disturber.account()), qPrintable(daemon.errorText()));
    QVERIFY2(cameBack, qPrintable(journal.errorText()));
    QVERIFY(finished);
    QCOMPARE(daemon.stop(), 0);

    QHash<QByteArray, int> entries;
    for (const QJsonObject &entry :
         journal.entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 0))
        ++entries[JournalInstance::bytes(entry[QStringLiteral("DTLSD_PAYLOAD")])];
    int missing = 0;
    int surplus = 0;
    for (const auto &device : fleet) {
        for (qsizetype i = 0; i < device->messages().size(); ++i) {
            const int found = entries.take(device->messages()[i]);
            missing += i < device->acknowledged() && found == 0 ? 1 : 0;
            surplus += std::max(found - device->timesSent(i), 0);
            m_repeated += std::max(device->timesSent(i) - 1, 0);
        }
        m_acknowledged += static_cast<int>(device->acknowledged());
    }
    if (missing + surplus > 0)
        qWarning("%s", qPrintable(disturber.account()));
    QCOMPARE(missing, 0);
    QCOMPARE(surplus, 0);
    QVERIFY(entries.isEmpty()); // nothing that nobody has sent
    QVERIFY(std::all_of(fleet.begin(), fleet.end(),
                        [](const auto &device) { return device->isDone(); }));
    qInfo("%d receipts so far, %d repetitions", m_acknowledged, m_repeated);
}

int main(int argc, char **argv)
{
    qputenv("QTEST_FUNCTION_TIMEOUT", "36000000"); // for as many rounds as somebody asks for
    const QCoreApplication application(argc, argv);
    JournalInstance held({.settings = {}, .journalSize = {}, .holdsSockets = true});
    QString obstacle;
    if (JournalInstance::isAvailable(&obstacle) && !held.enter())
        obstacle = held.errorText();
    TestDisturbances test(held, obstacle);
    return QTest::qExec(&test, argc, argv);
}

#include "tst_disturbances.moc"
