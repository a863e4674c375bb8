// SPDX-License-Identifier: Apache-2.0
//
// The interoperability matrix: every client with every suite of every list of `[tls] ciphers`, over
// IPv4 and IPv6, against one dtlsd for each list; and with the suites that it offers by itself.
// A client that cannot choose its suite meets a dtlsd that offers one alone. What a client is known
// not to manage has to fail in the way it is known for.
// DTLSD_INTEROP_TABLE=FILE writes what was seen there, as Markdown.
#include "interop/Device.h"
#include "interop/MatrixTable.h"
#include "support/DaemonProcess.h"

#include <QFile>
#include <QTest>
#include <QUdpSocket>

#include <map>

#include <sys/resource.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool thorough = false; // the longest list, and IPv4 alone
#else
constexpr bool thorough = true;
#endif

struct Cell
{
    Device *device = nullptr;
    QString list; ///< `[tls] ciphers`
    CipherSuite suite;
    QHostAddress host;

    /// Of the test, and the device's identity.
    [[nodiscard]] QString name() const
    {
        const QString family =
            SocketAddress(host, 0).isIPv4() ? QStringLiteral("IPv4") : QStringLiteral("IPv6");
        const QString offer = suite.name.isEmpty() ? QStringLiteral("its own suites") : suite.name;
        return QStringLiteral("%1, %2, against %3 on %4").arg(device->name(), offer, list, family);
    }
};

QByteArray payloadOf(const QJsonObject &event)
{
    const QString base64 = event[QStringLiteral("payload_base64")].toString();
    return base64.isEmpty() ? event[QStringLiteral("payload")].toString().toUtf8()
                            : QByteArray::fromBase64(base64.toLatin1());
}

QByteArray expectedReply(const Cell &cell, const QJsonObject &opened)
{
    if (QByteArray reply = cell.device->replyTemplate(); !reply.isEmpty())
        return reply;
    const QHostAddress address(opened[QStringLiteral("peer_address")].toString());
    const auto port = DaemonProcess::number(opened[QStringLiteral("peer_port")]);
    const SocketAddress peer(address, static_cast<std::uint16_t>(port));
    return "to " + peer.toString().toLatin1() + ": ACK";
}

} // namespace

class TestInterop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void init();
    void cleanup();
    void everySuiteOfEveryListIsSpoken_data();
    void everySuiteOfEveryListIsSpoken();

private:
    void addCells(Device &device, const QString &list, const QHostAddress &host);
    [[nodiscard]] QByteArray configFor(const QString &list) const;
    DaemonProcess &daemonFor(const Cell &cell) { return *m_daemons.at(cell.list); }

    [[nodiscard]] SocketAddress serverOf(const Cell &cell)
    {
        return daemonFor(cell).addresses().at(m_hosts.indexOf(cell.host));
    }

    std::optional<QJsonObject> eventOf(const Cell &cell, const QString &name);
    void checkSession(const Cell &cell, const Conversation &conversation);
    void checkNoSession(const Cell &cell, Outcome outcome);

    std::vector<std::unique_ptr<Device>> m_devices;
    std::vector<Cell> m_cells;
    std::map<QString, std::unique_ptr<DaemonProcess>> m_daemons;
    QList<QHostAddress> m_hosts{QHostAddress(QHostAddress::LocalHost)};
    QString m_seen;       // in the row of now
    QString m_negotiated; // the suite, if any
    MatrixTable m_suites{QStringLiteral("Client")};
    MatrixTable m_choices{QStringLiteral("Client")};
};

void TestInterop::initTestCase()
{
    const rlimit noCore{0, 0}; // some clients are known to crash
    QCOMPARE(setrlimit(RLIMIT_CORE, &noCore), 0);
    const QHostAddress ipv6(QHostAddress::LocalHostIPv6);
    if (QUdpSocket().bind(ipv6) && thorough)
        m_hosts << ipv6;

    m_devices = allDevices();
    for (const auto &device : m_devices) {
        for (const QHostAddress &host : m_hosts) {
            for (const char *list : {"strict", "modern", "iot"}) {
                if (thorough || qstrcmp(list, "iot") == 0)
                    addCells(*device, QString::fromLatin1(list), host);
            }
        }
    }
    for (const Cell &cell : m_cells) {
        auto &daemon = m_daemons[cell.list];
        if (!daemon) {
            daemon = std::make_unique<DaemonProcess>(configFor(cell.list));
            QVERIFY2(daemon->start(), qPrintable(daemon->errorText()));
            QCOMPARE(daemon->addresses().size(), m_hosts.size());
        }
    }
}

void TestInterop::addCells(Device &device, const QString &list, const QHostAddress &host)
{
    m_cells.push_back({&device, list, {}, host});
    if (device.choosesSuite()) {
        for (const CipherSuite &suite : suitesOf(list))
            m_cells.push_back({&device, list, suite, host});
    } else if (list == u"iot") {
        for (const CipherSuite &suite : suitesOf(list))
            m_cells.push_back({&device, suite.name, suite, host});
    }
}

QByteArray TestInterop::configFor(const QString &list) const
{
    QStringList sockets;
    for (const QHostAddress &host : m_hosts)
        sockets << SocketAddress(host, 0).toString();
    // Since OpenSSL 3.2 the suites with CCM8 need it, and a name alone does not set it.
    const QByteArray level = list.contains(u'-') ? ":@SECLEVEL=0" : "";
    QByteArray config = "[server]\nworkers = 1\nlisten = " + sockets.join(u',').toLatin1() +
                        "\n[tls]\nciphers = " + list.toLatin1() + level + "\n[psk]\nfile =\n";
    for (const Cell &cell : m_cells) {
        if (cell.list != list)
            continue;
        config += "[identity " + cell.name().toUtf8() + "]\nkey = text:" + Device::key + '\n';
        if (QByteArray reply = cell.device->replyTemplate(); !reply.isEmpty())
            config += "reply = " + reply + '\n';
    }
    return config;
}

void TestInterop::cleanupTestCase()
{
    for (const auto &device : m_devices)
        QCOMPARE(device->seeOff(), QStringList());
    for (const auto &[list, daemon] : m_daemons) {
        QCOMPARE(daemon->stop(), 0);
        QCOMPARE(daemon->strayLines(), QList<QByteArray>());
        QCOMPARE(daemon->errorText(), QString());
    }
    const QString path = qEnvironmentVariable("DTLSD_INTEROP_TABLE");
    if (path.isEmpty())
        return;
    QFile file(path);
    QVERIFY2(file.open(QIODevice::WriteOnly), qPrintable(file.errorString()));
    file.write((m_suites.markdown() + u'\n' + m_choices.markdown()).toUtf8());
}

void TestInterop::everySuiteOfEveryListIsSpoken_data()
{
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < m_cells.size(); ++i)
        QTest::newRow(qPrintable(m_cells[i].name())) << static_cast<int>(i);
}

void TestInterop::init()
{
    m_seen = QStringLiteral("**fails**");
    m_negotiated.clear();
}

void TestInterop::cleanup()
{
    QFETCH(const int, index);
    const Cell &cell = m_cells.at(static_cast<std::size_t>(index));
    if (!cell.suite.name.isEmpty())
        m_suites.record(cell.device->name(), cell.suite.name, m_seen);
    else if (m_seen == description(Outcome::Spoke))
        m_choices.record(cell.device->name(), cell.list, m_negotiated);
    else
        m_choices.record(cell.device->name(), cell.list, m_seen);
}

void TestInterop::everySuiteOfEveryListIsSpoken()
{
    QFETCH(const int, index);
    const Cell &cell = m_cells.at(static_cast<std::size_t>(index));
    if (!cell.device->isAvailable()) {
        m_seen = QStringLiteral("not installed");
        QSKIP("the client is not installed, or the build found no library for it");
    }

    const Conversation conversation =
        cell.device->converse({serverOf(cell), cell.name(), cell.suite});
    const Outcome outcome = conversation.outcome;
    if (outcome == Outcome::Spoke || outcome == Outcome::Crashed)
        checkSession(cell, conversation);
    else
        checkNoSession(cell, outcome);
    const QString &suite = m_negotiated.isEmpty() ? cell.suite.name : m_negotiated;
    QVERIFY2(outcome == cell.device->expected(suite),
             qPrintable(description(outcome) + u' ' + conversation.trouble));
    if (!QTest::currentTestFailed())
        m_seen = description(outcome);
}

std::optional<QJsonObject> TestInterop::eventOf(const Cell &cell, const QString &name)
{
    return daemonFor(cell).waitForEvent(name, [&cell](const QJsonObject &event) {
        return event[QStringLiteral("identity")].toString() == cell.name();
    });
}

void TestInterop::checkSession(const Cell &cell, const Conversation &conversation)
{
    const auto opened = eventOf(cell, QStringLiteral("session-opened"));
    QVERIFY2(opened, qPrintable(conversation.trouble));
    m_negotiated = opened->value(QStringLiteral("cipher")).toString();
    QList<QString> allowed{cell.suite.name};
    if (cell.suite.name.isEmpty()) {
        allowed.clear();
        for (const CipherSuite &suite : suitesOf(cell.list))
            allowed << suite.name;
    }
    QVERIFY2(allowed.contains(m_negotiated), qPrintable(m_negotiated));
    if (conversation.outcome == Outcome::Crashed)
        return; // it said nothing, and no goodbye

    const auto closed = eventOf(cell, QStringLiteral("session-closed"));
    QVERIFY(closed);
    QCOMPARE(closed->value(QStringLiteral("reason")).toString(), QStringLiteral("close-notify"));

    QList<QByteArray> logged;
    for (const QJsonObject &event : daemonFor(cell).events(QStringLiteral("datagram-received"))) {
        if (event[QStringLiteral("identity")].toString() == cell.name())
            logged << payloadOf(event);
    }
    QCOMPARE(logged, conversation.sent);
    QCOMPARE(conversation.replies,
             QList<QByteArray>(logged.size(), expectedReply(cell, opened.value())));
}

void TestInterop::checkNoSession(const Cell &cell, Outcome outcome)
{
    if (outcome == Outcome::NothingInCommon) {
        const QString local = serverOf(cell).toString();
        const auto refused = [&local](const QJsonObject &event) {
            return event[QStringLiteral("reason")].toString() == u"no-shared-cipher" &&
                   event[QStringLiteral("local_address")].toString() == local;
        };
        QVERIFY(daemonFor(cell).waitForEvent(QStringLiteral("handshake-failed"), refused));
    }
    for (const QJsonObject &event : daemonFor(cell).events(QStringLiteral("session-opened")))
        QVERIFY(event[QStringLiteral("identity")].toString() != cell.name());
}

QTEST_GUILESS_MAIN(TestInterop)
#include "tst_interop.moc"
