// SPDX-License-Identifier: Apache-2.0
//
// The recipes of README.md and packaging/docs, read from there and run: on a machine with dtlsd
// installed, a real journald, three devices that have talked and strangers that have tried. A
// recipe that this test does not know fails, and so does one that it misses.
#include "events/EventLog.h"
#include "support/TestProgram.h"

#include "FollowedDaemon.h"
#include "Forwarding.h"
#include "Guide.h"
#include "InstalledMachine.h"
#include "JournalOutput.h"

#include <QDir>
#include <QFile>
#include <QMap>
#include <QSet>
#include <QTimeZone>

#include <algorithm>
#include <csignal>
#include <memory>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

const QString ipv4 = QStringLiteral("127.0.0.1");
const QString ipv6 = QStringLiteral("::1");

using Said = FollowedDaemon::Said;

bool isOfSensor17(const Said &entry)
{
    return entry.identity == "sensor-17" && !entry.isFailure;
}

bool isFailure(const Said &entry)
{
    return entry.isFailure;
}

bool isAnything(const Said &)
{
    return true;
}

QList<Recipe> recipesOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? readGuide(QString::fromUtf8(file.readAll()))
                                          : QList<Recipe>();
}

QList<QByteArray> payloadsOf(const QList<QJsonObject> &entries)
{
    QList<QByteArray> payloads;
    for (const QJsonObject &entry : entries) {
        if (entry.contains(u"DTLSD_PAYLOAD"))
            payloads << JournalInstance::bytes(entry[u"DTLSD_PAYLOAD"]);
    }
    return payloads;
}

} // namespace

class TestGuide : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyRecipeIsKnownAndEveryKnownOneIsThere();
    void aRecipeDoesWhatItSays_data();
    void aRecipeDoesWhatItSays();

private:
    using Check = void (TestGuide::*)();
    static QMap<QString, Check> checks();

    [[nodiscard]] QString substituted(QString commands) const;
    [[nodiscard]] QString nextBlock();
    QByteArray run(const QString &commands);
    QByteArray runNext() { return run(nextBlock()); }
    void compare(const QByteArray &output, const FollowedDaemon::Which &which);
    void follow(const QString &commands);
    void set(const QString &scene);

    void live();
    void oneDevice() { compare(runNext(), isOfSensor17); }
    void oneAddress();
    void oneSession();
    void whatWentWrong() { compare(runNext(), isFailure); }
    void failedHandshakes();
    void whatAnEntryMeans();
    void payloadsAlone();
    void forPrograms();
    void howMany();
    void shutOut();
    void aJournalOfItsOwn();
    void onAnotherMachine();
    void withoutANetwork();
    void aNetworkOfTheirOwn();

    InstalledMachine m_machine;
    std::unique_ptr<FollowedDaemon> m_daemon;
    QList<Recipe> m_recipes;
    QStringList m_blocks; // of the recipe that is run, not run yet
    QString m_session;
    QString m_journalPath;
    quint16 m_port = 0;
};

QMap<QString, TestGuide::Check> TestGuide::checks()
{
    return {{QStringLiteral("Live"), &TestGuide::live},
            {QStringLiteral("One device"), &TestGuide::oneDevice},
            {QStringLiteral("One address"), &TestGuide::oneAddress},
            {QStringLiteral("One session"), &TestGuide::oneSession},
            {QStringLiteral("What went wrong"), &TestGuide::whatWentWrong},
            {QStringLiteral("Failed handshakes"), &TestGuide::failedHandshakes},
            {QStringLiteral("What an entry means"), &TestGuide::whatAnEntryMeans},
            {QStringLiteral("Payloads alone"), &TestGuide::payloadsAlone},
            {QStringLiteral("For programs"), &TestGuide::forPrograms},
            {QStringLiteral("How many datagrams, from whom, when"), &TestGuide::howMany},
            {QStringLiteral("Shut out who guesses"), &TestGuide::shutOut},
            {QStringLiteral("A journal of its own"), &TestGuide::aJournalOfItsOwn},
            {QStringLiteral("On another machine"), &TestGuide::onAnotherMachine},
            {QStringLiteral("Without a network"), &TestGuide::withoutANetwork},
            {QStringLiteral("A network of their own"), &TestGuide::aNetworkOfTheirOwn}};
}

/// What are examples in the documents, and what they are here. Offline, systemctl knows no --now.
QString TestGuide::substituted(QString commands) const
{
    return commands.replace(QStringLiteral("192.0.2.7"), ipv6)
        .replace(QStringLiteral("5e1d0a2b8f3c4477"), m_session)
        .replace(QStringLiteral(":19532"), QStringLiteral(":%1").arg(m_port))
        .replace(QStringLiteral("enable --now "), QStringLiteral("enable "))
        .replace(
            QStringLiteral("fail2ban-regex systemd-journal "),
            QStringLiteral("fail2ban-regex 'systemd-journal[journalpath=%1]' ").arg(m_journalPath));
}

void TestGuide::initTestCase()
{
    QString why;
    if (!InstalledMachine::isAvailable(&why))
        QSKIP(qPrintable(why));
    QVERIFY2(m_machine.start(), qPrintable(m_machine.errorText()));
    m_recipes = recipesOf(QStringLiteral(DTLSD_SOURCE_DIR "/README.md"));
    const QDir documents(QStringLiteral(DTLSD_SOURCE_DIR "/packaging/docs"));
    for (const QString &name : documents.entryList({QStringLiteral("*.md")}, QDir::Files))
        m_recipes << recipesOf(documents.filePath(name));

    m_daemon = std::make_unique<FollowedDaemon>(m_machine.journal());
    QVERIFY(m_daemon->start());
    QVERIFY(m_daemon->talk("sensor-17", ipv4, {"temperature=21.5", "temperature=21.7"}));
    QVERIFY(m_daemon->talk("meter-4", ipv6, {"energy=1234"}));
    QVERIFY(m_daemon->talk("gateway", ipv4, {"\xff\xfe is no UTF-8", QByteArray(6000, 'x')}));
    QVERIFY(m_daemon->intrude("sensor-17", ipv6));
    QVERIFY(m_daemon->intrude("x (1.2.3.4:5): handshake failed: no such identity", ipv4));
    QVERIFY(m_daemon->intrude("y\nvm dtlsd[1]: 1.2.3.4:5: handshake failed: its key", ipv6));
    QVERIFY(m_daemon->intrude("[1.2.3.4]:5, claiming to be z: handshake failed: ", ipv4));
    m_session = m_daemon->said(isOfSensor17).constFirst().session;
}

void TestGuide::everyRecipeIsKnownAndEveryKnownOneIsThere()
{
    QStringList titles;
    for (const Recipe &recipe : m_recipes)
        titles << recipe.title;
    titles.sort();
    QCOMPARE(titles, checks().keys());
}

void TestGuide::aRecipeDoesWhatItSays_data()
{
    QTest::addColumn<Recipe>("recipe");
    for (const Recipe &recipe : m_recipes)
        QTest::newRow(qPrintable(recipe.title)) << recipe;
}

void TestGuide::aRecipeDoesWhatItSays()
{
    QFETCH(Recipe, recipe);
    const Check check = checks().value(recipe.title);
    QVERIFY2(check, "no check for this recipe");
    m_blocks = recipe.blocks;
    (this->*check)();
    if (!QTest::currentTestFailed())
        QCOMPARE(m_blocks, QStringList());
}

QString TestGuide::nextBlock()
{
    return m_blocks.isEmpty() ? QStringLiteral("echo the recipe has no further block; exit 1")
                              : m_blocks.takeFirst();
}

QByteArray TestGuide::run(const QString &commands)
{
    const auto output = m_machine.run(substituted(commands));
    if (!output)
        QTest::qFail(qPrintable(m_machine.errorText()), __FILE__, __LINE__);
    return output.value_or(QByteArray());
}

/// By guide-machine.
void TestGuide::set(const QString &scene)
{
    run(QStringLiteral(DTLSD_SOURCE_DIR "/tests/integration/guide-machine %1 2>&1").arg(scene));
}

/// Whether @p output has the entries of @p which, all of them, in order, and nothing else.
void TestGuide::compare(const QByteArray &output, const FollowedDaemon::Which &which)
{
    const QStringList messages = messagesOf(output);
    const QList<Said> expected = m_daemon->said(which);
    QVERIFY2(messages.size() == expected.size() && !expected.isEmpty(), output.constData());
    for (qsizetype i = 0; i < messages.size(); ++i)
        QVERIFY2(messages[i].startsWith(expected[i].beginning), qPrintable(messages[i]));
}

void TestGuide::live()
{
    const QString commands = nextBlock();
    follow(commands);
    if (!QTest::currentTestFailed())
        follow(commands.trimmed() + QStringLiteral(" -o cat"));
}

void TestGuide::follow(const QString &commands)
{
    ChildProcess process;
    // In the shell's place, so that the signal reaches it.
    QVERIFY(process.run(m_machine.shell(QStringLiteral("exec ") + commands)));
    QByteArray output;
    const auto lines = [&] {
        output += process.readAllStandardOutput();
        return messagesOf(output);
    };
    QVERIFY(waitUntil([&] { return lines().size() == 10; }, QDeadlineTimer(patience)));
    const QByteArray payload = "live " + QByteArray::number(m_daemon->said(isAnything).size());
    QVERIFY(m_daemon->talk("sensor-17", ipv4, {payload}));
    QVERIFY(waitUntil([&] { return lines().size() == 13; }, QDeadlineTimer(patience)));
    const QList<Said> said = m_daemon->said(isAnything);
    for (qsizetype i = 0; i < 3; ++i)
        QVERIFY(lines().at(10 + i).startsWith(said.at(said.size() - 3 + i).beginning));
    QVERIFY(process.isRunning());
    process.sendSignal(SIGTERM);
    QVERIFY(process.waitForEnd());
}

void TestGuide::oneAddress()
{
    compare(runNext(), [](const Said &entry) { return entry.address == ipv6; });
}

void TestGuide::oneSession()
{
    compare(runNext(), [this](const Said &entry) { return entry.session == m_session; });
}

void TestGuide::failedHandshakes()
{
    const QString commands = nextBlock();
    QVERIFY(commands.contains(QLatin1String(EventLog::kindOf(HandshakeFailed{}).messageId)));
    const QStringList both = commands.split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(both.size(), 2);
    for (const QString &command : both)
        compare(run(command), isFailure);
}

void TestGuide::whatAnEntryMeans()
{
    const QString subject =
        m_machine.valueIn(QStringLiteral("/usr/lib/systemd/catalog/dtlsd.catalog"),
                          QStringLiteral("-- %1\nSubject: ")
                              .arg(QLatin1String(EventLog::kindOf(HandshakeFailed{}).messageId)));
    QStringList expected;
    for (const Said &entry : m_daemon->said(isFailure))
        expected << QString(subject).replace(QStringLiteral("@DTLSD_PEER_ADDRESS@"), entry.address);
    QStringList subjects;
    for (const QByteArray &line : linesOf(runNext())) {
        if (line.contains("Subject: "))
            subjects << QString::fromUtf8(line).section(QStringLiteral("Subject: "), 1);
    }
    QVERIFY(!subject.isEmpty());
    QCOMPARE(subjects, expected);
}

void TestGuide::payloadsAlone()
{
    QCOMPARE(linesOf(runNext()), m_daemon->payloads(isOfSensor17));
}

void TestGuide::forPrograms()
{
    const QString commands = nextBlock();
    const QList<QJsonObject> entries = objectsOf(run(commands));
    QCOMPARE(payloadsOf(entries), m_daemon->payloads(isAnything));
    const auto countOf = [](const QList<QJsonObject> &objects, QJsonValue::Type type) {
        return std::count_if(objects.begin(), objects.end(), [type](const QJsonObject &entry) {
            return entry.value(u"DTLSD_PAYLOAD").type() == type;
        });
    };
    QCOMPARE(countOf(entries, QJsonValue::Array), 1);
    QCOMPARE(countOf(entries, QJsonValue::Null), 0);

    const QString all = QStringLiteral(" --all"); // and without it, as the recipe says
    QVERIFY(commands.contains(all));
    QCOMPARE(countOf(objectsOf(run(QString(commands).remove(all))), QJsonValue::Null), 1);
}

void TestGuide::howMany()
{
    set(QStringLiteral("earlier_entries"));
    QMap<QString, int> expected;
    QSet<QString> hours;
    for (const QJsonObject &entry :
         objectsOf(run(QStringLiteral("journalctl -o json DTLSD_EVENT=datagram-received")))) {
        const qint64 microseconds = entry[u"__REALTIME_TIMESTAMP"].toString().toLongLong();
        const QString hour = QDateTime::fromMSecsSinceEpoch(microseconds / 1000, QTimeZone::utc())
                                 .toString(QStringLiteral("yyyy-MM-dd HH:00"));
        hours << hour;
        ++expected[hour + u'\t' + entry[u"DTLSD_IDENTITY"].toString()];
    }
    QVERIFY(hours.size() >= 2);
    QVERIFY(expected.size() >= 5);

    const QString commands = nextBlock();
    const QByteArray output = run(commands);
    const QByteArray elsewhere = run(QStringLiteral("export TZ=IST-5:30\n") + commands);
    set(QStringLiteral("earlier_entries remove"));
    QMap<QString, int> counted;
    for (const QByteArray &line : linesOf(output)) {
        const QString text = QString::fromUtf8(line).trimmed();
        counted[text.section(u' ', 1)] = text.section(u' ', 0, 0).toInt();
    }
    QCOMPARE(counted, expected);
    QCOMPARE(elsewhere, output);
}

void TestGuide::shutOut()
{
    m_journalPath = m_machine.directory() + QStringLiteral("/unit");
    set(QStringLiteral("entries_of_the_unit ") + m_journalPath);
    const QByteArray report = runNext();
    QVERIFY2(report.contains("Lines: 4 lines, 0 ignored, 4 matched, 0 missed"), report.constData());

    QList<QByteArray> expected;
    for (const Said &entry : m_daemon->said(isFailure))
        expected << entry.address.toUtf8();
    const QString here = substituted(QStringLiteral("fail2ban-regex systemd-journal dtlsd"));
    const auto banned = [&](const QString &option) {
        return linesOf(run(QString(here).replace(
            QStringLiteral("fail2ban-regex"), QStringLiteral("fail2ban-regex -o ip ") + option)));
    };
    QCOMPARE(banned({}), expected);
    // The other two are there, and it is the filter's choice of entries that leaves them out.
    QCOMPARE(banned(QStringLiteral("-m DTLSD_EVENT=handshake-failed")),
             expected + QList<QByteArray>({"192.0.2.66", "192.0.2.67"}));

    const QByteArray jail = run(QStringLiteral("fail2ban-client -d"));
    QVERIFY2(jail.contains("['add', 'dtlsd', 'systemd']"), jail.constData());
    QVERIFY2(jail.contains("['start', 'dtlsd']"), jail.constData());
    QVERIFY2(jail.contains("'udp'"), jail.constData());
}

void TestGuide::aJournalOfItsOwn()
{
    runNext();
    const QString name =
        m_machine.valueIn(QStringLiteral("/etc/systemd/system/dtlsd.service.d/log-namespace.conf"),
                          QStringLiteral("LogNamespace="));
    QVERIFY2(m_machine.journal().launchNamespace(name),
             qPrintable(m_machine.journal().errorText()));
    ChildProcess daemon;
    QVERIFY(daemon.run(m_machine.journal().wrapInNamespace(
        name, {DaemonProcess::program(),
               {QStringLiteral("--config"), m_daemon->configFile(), QStringLiteral("--log-target"),
                QStringLiteral("journal")}})));

    const auto find = [&](const QString &match) {
        return run(QStringLiteral("journalctl --namespace=%1 --sync\n"
                                  "journalctl --quiet --namespace=%1 -o json %2")
                       .arg(name, match));
    };
    QByteArray started;
    const auto isUp = [&] {
        started = find(QStringLiteral("DTLSD_EVENT=started"));
        return !started.isEmpty() || QTest::currentTestFailed();
    };
    QVERIFY(waitUntil(isUp, QDeadlineTimer(patience)));
    const QString addresses = objectsOf(started).constFirst()[u"DTLSD_LOCAL_ADDRESS"].toString();
    const auto server = SocketAddress::parse(addresses.section(u',', 0, 0));
    QVERIFY(server);
    SocketAddress from;
    QVERIFY(FollowedDaemon::send(*server, "sensor-17", {"apart"}, &from));
    daemon.sendSignal(SIGTERM);
    QVERIFY(daemon.waitForEnd());
    QCOMPARE(daemon.exitCode(), 0);

    find({});
    const QStringList messages = messagesOf(runNext());
    QCOMPARE(messages.size(), 3);
    QCOMPARE(messages[1], QStringLiteral("sensor-17 (%1): apart").arg(from.toString()));
    QCOMPARE(run(QStringLiteral("journalctl --sync\njournalctl --quiet DTLSD_PAYLOAD=apart")),
             QByteArray());

    // As the jail's file has it.
    const QByteArray report =
        run(QStringLiteral("fail2ban-regex -m DTLSD_PAYLOAD=apart 'systemd-journal[namespace=%1]' "
                           "/usr/share/doc/dtlsd/examples/fail2ban/filter.d/dtlsd.conf")
                .arg(name));
    QVERIFY2(report.contains("Lines: 1 lines"), report.constData());
}

void TestGuide::onAnotherMachine()
{
    Forwarding forwarding(m_machine);
    m_port = forwarding.port();
    set(QStringLiteral("certificates"));
    set(QStringLiteral("unit_directories"));
    runNext();
    QVERIFY2(forwarding.startCollector(), forwarding.errorText());
    runNext();
    QVERIFY2(forwarding.startSender(), forwarding.errorText());
    const auto arrived = [&] {
        return payloadsOf(forwarding.entries(m_daemon->said(isAnything).size()));
    };
    const QList<QByteArray> before = arrived();
    QVERIFY2(before == m_daemon->payloads(isAnything), forwarding.errorText());
    compare(runNext(), isOfSensor17);

    // The last entry before the break comes twice: a session's end, without payload.
    QVERIFY(forwarding.stopSender());
    QVERIFY(m_daemon->talk("sensor-17", ipv4, {"after the break"}));
    QVERIFY2(forwarding.startSender(), forwarding.errorText());
    QCOMPARE(arrived(), m_daemon->payloads(isAnything));
}

void TestGuide::withoutANetwork()
{
    runNext();
    QCOMPARE(m_machine.valueIn(
                 QStringLiteral("/etc/systemd/system/dtlsd.service.d/socket-activated.conf"),
                 QStringLiteral("PrivateNetwork=")),
             QStringLiteral("yes"));
}

/// tst_units does the same where there is a service manager.
void TestGuide::aNetworkOfTheirOwn()
{
    runNext();
    for (const char *name : {"dtlsd.service.d/with-service", "coap-server.service.d/dtlsd"}) {
        const QString file = QStringLiteral("/etc/systemd/system/%1.conf").arg(QLatin1String(name));
        QCOMPARE(m_machine.valueIn(file, QStringLiteral("JoinsNamespaceOf=")),
                 QStringLiteral("dtlsd-network.service"));
        QCOMPARE(m_machine.valueIn(file, QStringLiteral("PrivateNetwork=")), QStringLiteral("yes"));
    }
}

DTLSD_TEST(TestGuide)
#include "tst_guide.moc"
