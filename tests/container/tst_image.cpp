// SPDX-License-Identifier: Apache-2.0
//
// The image of packaging/container: built as its file says, run without root, capabilities or a
// writable disk, alone and with a service, and asked for what packaging/docs/containers.md
// promises.
#include "Container.h"
#include "core/Version.h"
#include "dtls/DtlsClient.h"
#include "support/FreePort.h"
#include "support/JournalInstance.h"
#include "support/PatientTest.h"
#include "support/TestKey.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTemporaryDir>

#include <csignal>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

constexpr auto buildPatience = 20min; // with an empty cache, on a busy machine
constexpr qint64 largestSize = 90'000'000;

/// What the unit of podman says, as options of podman-run(1): what its generator makes of it. Left
/// out is what the test has otherwise; journald keeps its files in memory here, for root.
QStringList optionsOfTheUnit()
{
    const QHash<QString, QString> options{
        {u"Volume"_s, u"--volume="_s}, {u"User"_s, u"--user="_s}, {u"PodmanArgs"_s, QString()}};
    QFile unit(QStringLiteral(DTLSD_SOURCE_DIR "/packaging/container/dtlsd.container"));
    if (!unit.open(QIODevice::ReadOnly))
        return {};
    QStringList result;
    for (const QString &line : QString::fromUtf8(unit.readAll()).split(u'\n')) {
        const QString name = line.section(u'=', 0, 0);
        QString value = line.section(u'=', 1);
        value.replace(u"/var/log/journal"_s, JournalInstance::journalDirectory());
        value.replace(u"--group-add=999"_s, u"--group-add=0"_s);
        if (!options.contains(name) || value.startsWith(u"/etc/dtlsd"))
            continue;
        for (const QString &word : value.split(u' '))
            result << options[name] + word;
    }
    return result;
}

QByteArray configuration(std::uint16_t port, const QByteArray &more = {})
{
    return "[server]\nlisten = 127.0.0.1:" + QByteArray::number(port) + "\nworkers = 2\n" + more +
           "[psk]\nfile = psk.txt\n";
}

/// The reply to @p message, by a device in the network of @p process.
QByteArray reply(qint64 process, std::uint16_t port, const QByteArray &message)
{
    const QTemporaryDir folder;
    QFile keys(folder.filePath(u"psk.txt"_s));
    if (!keys.open(QIODevice::WriteOnly) || keys.write("sensor-17:" + hexKey + '\n') < 0 ||
        !keys.setPermissions(QFile::ReadOwner | QFile::WriteOwner))
        return "no key for a device";
    keys.close();
    ChildProcess device;
    device.setProcessChannelMode(QProcess::MergedChannels);
    if (!device.run({u"nsenter"_s,
                     {u"--net=/proc/%1/ns/net"_s.arg(process), QStringLiteral(DTLS_SEND_BINARY),
                      u"--psk-file"_s, keys.fileName(), u"127.0.0.1:%1"_s.arg(port)}}))
        return "no device";
    device.write(message + '\n');
    device.closeWriteChannel();
    return device.waitForEnd() ? device.readAll() : QByteArray("no end of a device");
}

} // namespace

class TestImage : public QObject
{
    Q_OBJECT

public:
    /// The process has entered the namespace of @p journal, if there is no @p obstacle.
    TestImage(JournalInstance &journal, QString obstacle)
        : m_journal(journal)
        , m_obstacle(std::move(obstacle))
    {
    }

private Q_SLOTS:
    void initTestCase();
    void itSaysWhatItIs();
    void itIsSmallAndHasNoShell();
    void itsProgramsAreHardened();
    void withoutConfigurationItSaysHowToGiveOne();
    void aBadConfigurationEndsItWithFileAndLine();
    void aDeviceTalksInAndIsToldOfTheEnd();
    void itsHealthIsToldTruly();
    void aServiceInItsNetworkAnswersItsDevices();
    void itWritesToTheJournalThatPodmansUnitMounts();

private:
    /// Started, with the key of sensor-17.
    static bool start(Container &container, std::uint16_t port, const QByteArray &more = {});
    static void configure(Container &container, std::uint16_t port, const QByteArray &more = {});

    JournalInstance &m_journal;
    const QString m_obstacle;
};

void TestImage::initTestCase()
{
    if (!m_obstacle.isEmpty())
        QSKIP(qPrintable(m_obstacle));
    const QTemporaryDir folder;
    ChildProcess build;
    build.setProcessChannelMode(QProcess::MergedChannels);
    QVERIFY(build.run(
        {QStringLiteral(DTLSD_SOURCE_DIR "/tests/container/build-image"), {folder.path()}}));
    QVERIFY(build.waitForEnd(QDeadlineTimer(buildPatience)));
    QVERIFY2(build.exitCode() == 0, build.readAllStandardOutput().right(1000).constData());
    for (const QString &archive : {u"dtlsd.tar"_s, u"coap-server.tar"_s}) {
        const auto loaded = Container::podman({u"load"_s, u"-i"_s, folder.filePath(archive)});
        QVERIFY2(loaded.status == 0, qPrintable(loaded.errors));
    }
}

void TestImage::configure(Container &container, std::uint16_t port, const QByteArray &more)
{
    container.write(QStringLiteral("dtlsd.ini"), configuration(port, more));
    container.write(QStringLiteral("psk.txt"), "sensor-17:" + hexKey + '\n');
}

bool TestImage::start(Container &container, std::uint16_t port, const QByteArray &more)
{
    configure(container, port, more);
    return container.start();
}

void TestImage::itSaysWhatItIs()
{
    const auto inspected =
        Container::podman({QStringLiteral("image"), QStringLiteral("inspect"), Container::image()});
    const QJsonObject image = QJsonDocument::fromJson(inspected.output)[0].toObject();
    const QJsonObject config = image[QStringLiteral("Config")].toObject();
    const auto text = [&config](const char *name) {
        return QString::fromUtf8(
            QJsonDocument(QJsonArray{config[QLatin1String(name)]}).toJson(QJsonDocument::Compact));
    };
    QCOMPARE(text("User"), QStringLiteral(R"(["65532:65532"])"));
    QCOMPARE(text("StopSignal"), QStringLiteral(R"(["SIGTERM"])"));
    QCOMPARE(text("ExposedPorts"), QStringLiteral(R"([{"22334/udp":{}}])"));
    QCOMPARE(text("Entrypoint"), QStringLiteral(R"([["/usr/sbin/dtlsd"]])"));
    QCOMPARE(image[QStringLiteral("Healthcheck")][QStringLiteral("Test")].toArray(),
             (QJsonArray{QStringLiteral("CMD"), QStringLiteral("/usr/bin/dtlsctl"),
                         QStringLiteral("health")}));
    const QJsonObject labels = config[QStringLiteral("Labels")].toObject();
    QCOMPARE(labels[QStringLiteral("org.opencontainers.image.title")].toString(),
             QStringLiteral("dtlsd"));
    QCOMPARE(labels[QStringLiteral("org.opencontainers.image.version")].toString(), version);
}

void TestImage::itIsSmallAndHasNoShell()
{
    const auto size = Container::podman({QStringLiteral("image"), QStringLiteral("inspect"),
                                         QStringLiteral("--format={{.Size}}"), Container::image()});
    qInfo("%s bytes", size.output.trimmed().constData());
    QVERIFY(size.output.trimmed().toLongLong() < largestSize);
    const auto files =
        Container::podman({QStringLiteral("image"), QStringLiteral("mount"), Container::image()});
    const QDir root(QString::fromUtf8(files.output.trimmed()));
    QVERIFY(root.exists(QStringLiteral("usr/sbin/dtlsd")));
    QCOMPARE(root.entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
             QString::fromLatin1("etc lib lib64 run usr var").split(u' '));
    const QStringList programs =
        QDir(root.filePath(QStringLiteral("usr/bin"))).entryList(QDir::Files) +
        QDir(root.filePath(QStringLiteral("usr/sbin"))).entryList(QDir::Files);
    QCOMPARE(programs, (QStringList{QStringLiteral("dtlsctl"), QStringLiteral("dtlsd")}));
}

void TestImage::itsProgramsAreHardened()
{
    const auto files =
        Container::podman({QStringLiteral("image"), QStringLiteral("mount"), Container::image()});
    const QDir root(QString::fromUtf8(files.output.trimmed()));
    ChildProcess hardening;
    hardening.setProcessChannelMode(QProcess::MergedChannels);
    QVERIFY(
        hardening.run({QStringLiteral(DTLSD_SOURCE_DIR "/tests/checks/hardening"),
                       {root.filePath(u"usr/sbin/dtlsd"_s), root.filePath(u"usr/bin/dtlsctl"_s)}}));
    QVERIFY(hardening.waitForEnd());
    const QByteArray said = hardening.readAllStandardOutput();
    QVERIFY2(hardening.exitCode() == 0, said.constData());
}

void TestImage::withoutConfigurationItSaysHowToGiveOne()
{
    Container container;
    QVERIFY(container.launch());
    const auto outcome = container.waitForEnd();
    QCOMPARE(outcome.status, 78);
    QVERIFY2(outcome.errors.contains(QStringLiteral("/etc/dtlsd/dtlsd.ini: is not there; to "
                                                    "configure a container, mount a directory")),
             qPrintable(outcome.errors));
    QVERIFY(outcome.errors.contains(QStringLiteral("user 65532 has to be able to read")));
    QCOMPARE(container.strayLines(), QList<QByteArray>());
}

void TestImage::aBadConfigurationEndsItWithFileAndLine()
{
    Container container;
    container.write(QStringLiteral("dtlsd.ini"),
                    "[server]\nworkers = many\n[psk]\nfile = psk.txt\n");
    container.write(QStringLiteral("psk.txt"), "sensor-17:0011\n");
    QVERIFY(container.launch());
    const auto outcome = container.waitForEnd();
    QCOMPARE(outcome.status, 78);
    QVERIFY2(outcome.errors.contains(QStringLiteral("/etc/dtlsd/dtlsd.ini:2: [server] workers: ")),
             qPrintable(outcome.errors));
    QVERIFY(outcome.errors.contains(QStringLiteral("/etc/dtlsd/psk.txt:1: the key is 2 bytes ")));
}

void TestImage::aDeviceTalksInAndIsToldOfTheEnd()
{
    Container container;
    const std::uint16_t port = freePort();
    QVERIFY2(start(container, port), qPrintable(container.errorText()));
    DtlsClient device({.identity = "sensor-17", .key = PskKey(testKey), .ciphers = {}});
    QSignalSpy connected(&device, &DtlsClient::connected);
    QSignalSpy received(&device, &DtlsClient::received);
    QSignalSpy closed(&device, &DtlsClient::closed);
    QVERIFY(device.connectTo({QHostAddress(QHostAddress::LocalHost), port}));
    QVERIFY(connected.wait(qtPatience));
    device.send("temperature=21.5");
    QVERIFY(received.wait(qtPatience));
    QCOMPARE(received[0][0].toByteArray(),
             "to 127.0.0.1:" + QByteArray::number(device.localAddress().port()) + ": ACK");

    // podman brings the lines, in its own time.
    const auto hasEntry = [&] { return !container.events(u"datagram-received"_s).isEmpty(); };
    QVERIFY(waitUntil(hasEntry, QDeadlineTimer(patience)));
    const auto entries = container.events(u"datagram-received"_s);
    QCOMPARE(entries.size(), 1);
    QCOMPARE(entries[0][QStringLiteral("payload")].toString(), QStringLiteral("temperature=21.5"));
    QCOMPARE(entries[0][QStringLiteral("identity")].toString(), QStringLiteral("sensor-17"));

    QCOMPARE(container.stop().status, 0); // 137: it had to be killed after a second
    QTRY_COMPARE(closed.size(), 1);
    QCOMPARE(container.events(QStringLiteral("session-closed")).size(), 1);
    QCOMPARE(container.events(QStringLiteral("stopping")).size(), 1);
    QCOMPARE(container.strayLines(), QList<QByteArray>());
}

void TestImage::itsHealthIsToldTruly()
{
    Container container;
    QVERIFY2(start(container, freePort()), qPrintable(container.errorText()));
    const auto healthy = container.checkHealth();
    QVERIFY2(healthy.status == 0, qPrintable(healthy.errors));

    const auto process = static_cast<pid_t>(container.processId());
    QVERIFY(process > 0);
    QCOMPARE(::kill(process, SIGSTOP), 0);
    QVERIFY(container.checkHealth().status > 0);
    QCOMPARE(::kill(process, SIGCONT), 0);
    QCOMPARE(container.checkHealth().status, 0);
    QCOMPARE(container.stop().status, 0);
}

/// As compose-coap.yaml has them: a third container holds the network of both.
void TestImage::aServiceInItsNetworkAnswersItsDevices()
{
    Container holder(Container::coapServer());
    holder.setNetwork(u"none"_s);
    holder.addOptions({u"--entrypoint=sleep"_s});
    QVERIFY(holder.launch({u"infinity"_s}));
    QVERIFY(waitUntil([&] { return holder.processId() > 0; }, QDeadlineTimer(patience)));
    const qint64 process = holder.processId();

    Container service(Container::coapServer());
    service.setNetwork(holder.network());
    QVERIFY(service.launch());
    const auto listens = [process] {
        QFile sockets(u"/proc/%1/net/udp"_s.arg(process));
        return sockets.open(QIODevice::ReadOnly) &&
               sockets.readAll().contains("0100007F:1633"); // 127.0.0.1:5683
    };
    QVERIFY2(waitUntil(listens, QDeadlineTimer(patience)), qPrintable(service.errorText()));

    const QByteArray request = "\x40\x01\x12\x34\xb4time"; // RFC 7252: confirmable, GET
    const QByteArray content = "\x60\x45\x12\x34";         // its acknowledgement, 2.05
    const std::uint16_t port = freePort();
    for (int i = 0; i < 2; ++i) { // another one finds the service again
        Container dtlsd;
        dtlsd.setNetwork(holder.network());
        QVERIFY2(start(dtlsd, port, "forward = 127.0.0.1:5683\n"), qPrintable(dtlsd.errorText()));
        const QByteArray answer = reply(process, port, request);
        QVERIFY2(answer.startsWith(content), answer);
        QCOMPARE(dtlsd.stop().status, 0);
    }
    QCOMPARE(service.stop().status, 0);
    QCOMPARE(holder.stop().status, 137); // sleep has no handler for SIGTERM
}

void TestImage::itWritesToTheJournalThatPodmansUnitMounts()
{
    QVERIFY2(m_journal.start(), qPrintable(m_journal.errorText()));
    const QStringList options = optionsOfTheUnit();
    QVERIFY(options.size() > 3);
    Container container;
    const std::uint16_t port = freePort();
    configure(container, port);
    container.addOptions(options);
    QVERIFY(container.launch({u"--log-target"_s, u"journal"_s}));
    QVERIFY2(m_journal.entries({u"DTLSD_EVENT=started"_s}, 1).size() == 1,
             qPrintable(container.errorText()));

    DtlsClient device({.identity = "sensor-17", .key = PskKey(testKey), .ciphers = {}});
    QSignalSpy connected(&device, &DtlsClient::connected);
    QSignalSpy received(&device, &DtlsClient::received);
    QVERIFY(device.connectTo({QHostAddress(QHostAddress::LocalHost), port}));
    QVERIFY(connected.wait(qtPatience));
    device.send("temperature=21.5");
    QVERIFY(received.wait(qtPatience));
    const auto entries = m_journal.entries({u"DTLSD_IDENTITY=sensor-17"_s}, 2);
    QCOMPARE(entries.size(), 2);
    QCOMPARE(entries[1][u"DTLSD_PAYLOAD"_s].toString(), u"temperature=21.5"_s);
    // It reads what it has written.
    QVERIFY(m_journal.entries({u"DTLSD_EVENT=log-unverifiable"_s}, 0).isEmpty());
    QCOMPARE(container.stop().status, 0);
}

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    JournalInstance journal;
    QString obstacle;
    if (Container::isAvailable(&obstacle) && JournalInstance::isAvailable(&obstacle) &&
        !journal.enter())
        obstacle = journal.errorText();
    TestImage test(journal, obstacle);
    return QTest::qExec(&test, argc, argv);
}

#include "tst_image.moc"
