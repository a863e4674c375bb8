// SPDX-License-Identifier: Apache-2.0
//
// rsyslog behind dtlsd, fed by dtls-send, which closes its session once it has said all: each line
// arrives once, and each is in the journal.
#include "support/ChildProcess.h"
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/FreePort.h"
#include "support/JournalInstance.h"
#include "support/TestProgram.h"

#include <QDir>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

// tests/run unpacks it there: installed, it would read the log of this machine, too.
const QString unpackedRsyslog = QStringLiteral(DTLSD_SOURCE_DIR "/build/rsyslog/usr");
const QByteArray key = "00112233445566778899aabbccddeeff";

/// rsyslogd with its input for UDP, and a file as output, which gets each message as it came.
class Rsyslog
{
public:
    static QString program() { return unpackedRsyslog + QStringLiteral("/sbin/rsyslogd"); }

    /// true: it listens.
    [[nodiscard]] bool start()
    {
        const QString configuration = m_folder.filePath(QStringLiteral("rsyslog.conf"));
        QFile file(configuration);
        if (!file.open(QIODevice::WriteOnly))
            return false;
        file.write(QStringLiteral("global(workDirectory=\"%1\" net.enableDNS=\"off\")\n"
                                  "module(load=\"imudp\")\n"
                                  "template(name=\"asSent\" type=\"string\" "
                                  "string=\"%rawmsg%\\n\")\n"
                                  "input(type=\"imudp\" address=\"127.0.0.1\" port=\"%2\")\n"
                                  "action(type=\"omfile\" file=\"%3\" template=\"asSent\")\n")
                       .arg(m_folder.path(), QString::number(m_address.port()), output())
                       .toUtf8());
        file.close();
        QStringList modules; // in a folder of the architecture
        for (const QString &name :
             QDir(unpackedRsyslog + QStringLiteral("/lib")).entryList(QDir::Dirs))
            modules << unpackedRsyslog + QStringLiteral("/lib/%1/rsyslog").arg(name);
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        return m_process.run({program(),
                              {QStringLiteral("-n"), QStringLiteral("-M"), modules.join(u':'),
                               QStringLiteral("-f"), configuration, QStringLiteral("-i"),
                               m_folder.filePath(QStringLiteral("pid"))}}) &&
               waitUntil([this] { return isListening() || !m_process.isRunning(); },
                         QDeadlineTimer(patience)) &&
               m_process.isRunning();
    }

    [[nodiscard]] SocketAddress address() const { return m_address; }
    [[nodiscard]] QByteArray log() { return m_process.readAllStandardOutput(); }
    /// What it has written so far.
    [[nodiscard]] QByteArrayList lines() const
    {
        QFile file(output());
        QByteArrayList lines =
            file.open(QIODevice::ReadOnly) ? file.readAll().split('\n') : QByteArrayList();
        if (!lines.isEmpty())
            lines.removeLast(); // behind the last newline
        return lines;
    }

private:
    [[nodiscard]] QString output() const { return m_folder.filePath(QStringLiteral("output")); }
    /// Not by trying to bind its port: when rsyslogd tries at that moment, it gives up for good.
    [[nodiscard]] bool isListening() const
    {
        QFile sockets(QStringLiteral("/proc/net/udp"));
        const QByteArray place =
            "0100007F:" + QByteArray::number(m_address.port(), 16).toUpper().rightJustified(4, '0');
        return sockets.open(QFile::ReadOnly) && sockets.readAll().contains(place);
    }

    const QTemporaryDir m_folder;
    const SocketAddress m_address{QHostAddress(QHostAddress::LocalHost), freePort()};
    ChildProcess m_process;
};

/// RFC 5424 §6
QByteArrayList linesOf(const QByteArray &device, int count)
{
    QByteArrayList lines;
    for (int i = 1; i <= count; ++i)
        lines << "<134>1 2026-11-23T22:53:02.3Z " + device + " meter - - - reading " +
                     QByteArray::number(i);
    return lines;
}

QByteArrayList sorted(QByteArrayList list)
{
    std::sort(list.begin(), list.end());
    return list;
}

} // namespace

class TestSyslog : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void linesOfManyDevicesArriveOnceEach();
    void linesArriveAfterTheirSessionHasEnded();

private:
    /// dtls-send as @p device, on its way.
    std::unique_ptr<ChildProcess> send(const QByteArray &device, const QByteArrayList &lines);
    static bool hasSent(ChildProcess &sender);
    [[nodiscard]] bool waitForLines(qsizetype count);
    [[nodiscard]] QByteArrayList logged();
    [[nodiscard]] qint64 sessionsClosed();

    Rsyslog m_rsyslog;
    std::optional<JournalInstance> m_journal;
    std::optional<DaemonProcess> m_daemon;
    QString m_server;
};

void TestSyslog::initTestCase()
{
    if (!QFile::exists(Rsyslog::program()))
        QSKIP("rsyslog is not there; tests/run unpacks it");
    QVERIFY2(m_rsyslog.start(), m_rsyslog.log());
    if (JournalInstance::isAvailable(nullptr)) {
        m_journal.emplace();
        QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
    }
    m_daemon.emplace("[server]\nlisten = 127.0.0.1:0\nworkers = 2\nforward = " +
                         m_rsyslog.address().toString().toLatin1() +
                         "\n[psk]\nfile =\n[identity *]\nkey = hex:" + key + '\n',
                     m_journal ? &*m_journal : nullptr);
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    m_server = m_daemon->addresses().constFirst().toString();
}

void TestSyslog::cleanupTestCase()
{
    if (m_daemon)
        QCOMPARE(m_daemon->stop(), 0);
}

std::unique_ptr<ChildProcess> TestSyslog::send(const QByteArray &device,
                                               const QByteArrayList &lines)
{
    auto sender = std::make_unique<ChildProcess>();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("KEY"), QString::fromLatin1(key));
    sender->setProcessEnvironment(environment);
    if (!sender->run(
            {QStringLiteral(DTLS_SEND_BINARY),
             {QStringLiteral("--psk-env"), QStringLiteral("KEY"), QStringLiteral("--psk-identity"),
              QString::fromLatin1(device), QStringLiteral("--no-reply"), m_server}}))
        qFatal("%s", qPrintable(sender->errorString()));
    sender->write(lines.join('\n'));
    sender->closeWriteChannel();
    return sender;
}

bool TestSyslog::hasSent(ChildProcess &sender)
{
    return sender.waitForEnd() && sender.exitStatus() == QProcess::NormalExit &&
           sender.exitCode() == 0;
}

bool TestSyslog::waitForLines(qsizetype count)
{
    return waitUntil([&] { return m_rsyslog.lines().size() >= count; }, QDeadlineTimer(patience));
}

QByteArrayList TestSyslog::logged()
{
    QByteArrayList payloads;
    for (const QJsonObject &event : m_daemon->events(QStringLiteral("datagram-received")))
        payloads << event[QStringLiteral("payload")].toString().toUtf8();
    return payloads;
}

qint64 TestSyslog::sessionsClosed()
{
    const QJsonObject status =
        ControlPeer::ask(m_daemon->controlSocket(), R"({"command":"status"})");
    return status[QStringLiteral("sessions_closed")].toInteger();
}

void TestSyslog::linesOfManyDevicesArriveOnceEach()
{
    QByteArrayList expected;
    std::vector<std::unique_ptr<ChildProcess>> senders;
    for (int i = 0; i < 10; ++i) {
        const QByteArray device = "sensor-" + QByteArray::number(i);
        const QByteArrayList lines = linesOf(device, 20);
        expected += lines;
        senders.push_back(send(device, lines));
    }
    for (const auto &sender : senders)
        QVERIFY2(hasSent(*sender), sender->readAllStandardError());
    QVERIFY2(waitForLines(expected.size()), m_rsyslog.log());
    const QByteArrayList lines = m_rsyslog.lines();
    QCOMPARE(sorted(lines), sorted(expected));
    QCOMPARE(sorted(logged()), sorted(expected));
    for (int i = 0; i < 10; ++i) { // and in their order
        const QByteArrayList own = linesOf("sensor-" + QByteArray::number(i), 20);
        QByteArrayList written;
        std::ranges::copy_if(lines, std::back_inserter(written),
                             [&](const QByteArray &line) { return own.contains(line); });
        QCOMPARE(written, own);
    }
}

/// The journal, which stands still, takes the entries when dtls-send is long gone.
void TestSyslog::linesArriveAfterTheirSessionHasEnded()
{
    if (!m_journal)
        QSKIP("a journald of our own needs root");
    const QByteArrayList before = m_rsyslog.lines();
    const qint64 closedBefore = sessionsClosed();
    m_journal->pause();
    const QByteArrayList lines = linesOf("visitor", 50);
    const auto sender = send("visitor", lines);
    QVERIFY2(hasSent(*sender), sender->readAllStandardError());
    const auto hasEnded = [&] { return sessionsClosed() > closedBefore; };
    QVERIFY(waitUntil(hasEnded, QDeadlineTimer(patience)));
    QCOMPARE(m_rsyslog.lines(), before);
    m_journal->resume();
    QVERIFY2(waitForLines(before.size() + lines.size()), m_rsyslog.log());
    QCOMPARE(m_rsyslog.lines(), before + lines);
    QCOMPARE(logged().size(), before.size() + lines.size());
    QCOMPARE(logged().last(lines.size()), lines);
}

DTLSD_TEST(TestSyslog)
#include "tst_syslog.moc"
