// SPDX-License-Identifier: Apache-2.0
//
// A handshake for each way in which a path can be bad, two cipher suites and two clients. DTLS
// mostly waits for its timers then, so all of them run at once, against one daemon; the rows look
// at what came of each.
#include "LossConditions.h"
#include "support/DaemonProcess.h"
#include "support/OpenSslLink.h"
#include "support/OwnLink.h"
#include "support/PersistentDevice.h"
#include "support/Relay.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

// The daemon's default handshake_timeout, and here the client's; then as much again for the
// message and for a busy machine.
constexpr auto handshakeTimeout = 30s;
constexpr auto deadline = 60s;

MakeLink ownLink(const QByteArray &identity, const QString &cipher)
{
    return [=] {
        return std::make_unique<OwnLink>(
            DtlsClient::Options{.identity = identity,
                                .key = PskKey(testKey),
                                .ciphers = CipherPolicy::parse(cipher).value(),
                                .handshakeTimeout = handshakeTimeout});
    };
}

MakeLink openSslLink(const QByteArray &identity, const QString &cipher)
{
    // -nbio: on a blocking socket s_client waits for good once a datagram turns out to be no news.
    return [=] {
        return std::make_unique<OpenSslLink>(
            ClientProcess::Options{.kind = ClientProcess::Kind::OpenSsl,
                                   .server = {},
                                   .identity = QString::fromLatin1(identity),
                                   .key = testKey,
                                   .cipher = cipher,
                                   .arguments = {QStringLiteral("-nbio")}});
    };
}

/// One device behind its own relay. The daemon knows it by its identity.
struct Cell
{
    QString name;
    QByteArray identity;
    QString cipher;
    LossCondition condition;
    MakeLink makeLink;
    std::unique_ptr<Relay> relay = {};
    std::unique_ptr<PersistentDevice> device = {};

    void start(const SocketAddress &server)
    {
        relay = std::make_unique<Relay>(server, condition.plan);
        device = std::make_unique<PersistentDevice>(
            PersistentDevice::Task{.makeLink = makeLink,
                                   .server = relay->address(),
                                   .messages = {"message of " + identity}});
        device->start();
    }
    [[nodiscard]] QByteArray story() const
    {
        return (device->endings().join(u'\n') + u'\n' + relay->log().text()).toUtf8();
    }
};

} // namespace

class TestLoss : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aHandshakeSurvives_data();
    void aHandshakeSurvives();
    void noHelloMetALimit();

private:
    void addCells(const LossCondition &condition, const QString &cipher);
    [[nodiscard]] QByteArray config() const;
    /// What the daemon said about @p cell.
    [[nodiscard]] DaemonProcess::Events eventsOf(const Cell &cell, const QString &name);

    std::vector<Cell> m_cells;
    std::unique_ptr<DaemonProcess> m_daemon;
};

void TestLoss::addCells(const LossCondition &condition, const QString &cipher)
{
    const auto add = [&](const QString &client, auto makerOf) {
        const QByteArray identity = "cell-" + QByteArray::number(m_cells.size());
        const QString name = condition.name + QStringLiteral(": ") + client + u' ' + cipher;
        m_cells.push_back({name, identity, cipher, condition, makerOf(identity, cipher)});
    };
    add(QStringLiteral("DtlsClient"), ownLink);
    if (ClientProcess::isAvailable(ClientProcess::Kind::OpenSsl))
        add(QStringLiteral("s_client"), openSslLink);
}

QByteArray TestLoss::config() const
{
    QByteArray text = "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n"
                      "[psk]\nfile =\n";
    for (const Cell &cell : m_cells)
        text += "[identity " + cell.identity + "]\nkey = hex:" + hexKey + '\n';
    return text;
}

void TestLoss::initTestCase()
{
    for (const LossCondition &condition : lossConditions()) {
        addCells(condition, QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305"));
        addCells(condition, QStringLiteral("PSK-AES128-GCM-SHA256"));
    }
    m_daemon = std::make_unique<DaemonProcess>(config());
    QVERIFY2(m_daemon->start(), qPrintable(m_daemon->errorText()));
    for (Cell &cell : m_cells)
        cell.start(m_daemon->addresses().constFirst());

    const auto isOver = [](const Cell &cell) { return cell.device->isOver(); };
    waitUntil([&] { return std::all_of(m_cells.begin(), m_cells.end(), isOver); },
              QDeadlineTimer(deadline));
    for (const Cell &cell : m_cells)
        cell.device->close();
    QCOMPARE(m_daemon->stop(), 0);
    QCOMPARE(m_daemon->strayLines(), QList<QByteArray>());
}

void TestLoss::aHandshakeSurvives_data()
{
    QTest::addColumn<std::size_t>("index");
    for (std::size_t index = 0; index < m_cells.size(); ++index)
        QTest::newRow(qPrintable(m_cells[index].name)) << index;
}

DaemonProcess::Events TestLoss::eventsOf(const Cell &cell, const QString &name)
{
    DaemonProcess::Events events = m_daemon->events(name);
    events.removeIf([&](const QJsonObject &event) {
        return event[QStringLiteral("identity")].toString().toLatin1() != cell.identity &&
               event[QStringLiteral("claimed_identity")].toString().toLatin1() != cell.identity;
    });
    return events;
}

void TestLoss::aHandshakeSurvives()
{
    QFETCH(std::size_t, index);
    const Cell &cell = m_cells[index];
    const QByteArray story = cell.story();
    QVERIFY2(cell.device->isDone(), story.constData());

    const LossCondition &condition = cell.condition;
    const int happened = cell.relay->log().count(condition.fault, condition.flight);
    QVERIFY2(happened >= condition.times, story.constData());

    const auto opened = eventsOf(cell, QStringLiteral("session-opened"));
    QVERIFY2(opened.size() == 1, story.constData());
    QCOMPARE(opened.first()[QStringLiteral("cipher")].toString(), cell.cipher);
    QVERIFY2(eventsOf(cell, QStringLiteral("handshake-failed")).isEmpty(), story.constData());

    const auto entries = eventsOf(cell, QStringLiteral("datagram-received"));
    QVERIFY2(!entries.isEmpty(), story.constData());
    QVERIFY2(entries.size() <= cell.device->timesSent(0), story.constData());
    for (const QJsonObject &entry : entries)
        QCOMPARE(entry[QStringLiteral("payload")].toString().trimmed().toLatin1(),
                 "message of " + cell.identity);

    // Its goodbye may be lost too; then the daemon's own end is its end.
    const auto closed = eventsOf(cell, QStringLiteral("session-closed"));
    QVERIFY2(closed.size() == 1, story.constData());
    const QString reason = closed.first()[QStringLiteral("reason")].toString();
    QVERIFY2(reason == u"close-notify" || reason == u"shutdown", qPrintable(reason));
}

void TestLoss::noHelloMetALimit()
{
    // No rate is configured, so a hello that is kept out is a loss of the daemon's own making.
    for (const QJsonObject &summary : m_daemon->events(QStringLiteral("unverified-traffic"))) {
        const QString message = summary[QStringLiteral("message")].toString();
        QVERIFY2(!message.contains(QStringLiteral("over a limit")), qPrintable(message));
    }
}

DTLSD_TEST(TestLoss)
#include "tst_loss.moc"
