// SPDX-License-Identifier: Apache-2.0
#include "control/ControlServer.h"
#include "support/ControlPeer.h"
#include "support/EchoingControl.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"

#include <QTemporaryDir>

#include <memory>
#include <optional>
#include <vector>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// As echo(), but the reply to `slow` is left in @p late.
ControlServer::Answer holding(Reply &late)
{
    return [&late](const QByteArray &request, const Reply &reply) {
        if (request == "slow")
            late = reply;
        else
            echo(request, reply);
    };
}

} // namespace

class TestControlServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_path = m_folder->filePath(QStringLiteral("control.sock"));
    }

    void aLineIsAnsweredAndTheConnectionClosed()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("status\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
        QVERIFY(client.isAtEnd());
    }

    void anAnswerMayComeLateAndOthersAreServedMeanwhile_data()
    {
        QTest::addColumn<bool>("hasFinishedSending");
        QTest::newRow("to a client that may say more") << false;
        QTest::newRow("to one that has finished sending") << true;
    }
    void anAnswerMayComeLateAndOthersAreServedMeanwhile()
    {
        QFETCH(bool, hasFinishedSending);
        Reply late;
        ControlServer server(holding(late), brief);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("slow\n"));
        if (hasFinishedSending)
            client.endRequest();
        QVERIFY(waitUntil([&] { return static_cast<bool>(late); }, soon()));
        // Longer than the server waits for a client.
        for (int i = 0; i < 3; ++i)
            QCOMPARE(codeOf(ControlPeer(m_path).readAll()), QStringLiteral("timeout"));
        ControlPeer other(m_path);
        QVERIFY(other.send("status\n"));
        QCOMPARE(other.readAll(), QByteArray("you said status\n"));

        late("at last\n");
        late("twice\n"); // which says nothing to anybody
        QCOMPARE(client.readAll(), QByteArray("at last\n"));
        QVERIFY(client.isAtEnd());
    }

    void whoGoesBeforeTheAnswerMakesRoom()
    {
        Reply late;
        std::optional<ControlServer> server(std::in_place, holding(late), brief);
        QVERIFY(server->listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        {
            const ControlPeer client(m_path);
            QVERIFY(client.send("slow\n"));
            QVERIFY(waitUntil([&] { return static_cast<bool>(late); }, soon()));
        }
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors; }, soon()));
        late("too late\n");

        ControlPeer client(m_path);
        late = Reply();
        QVERIFY(client.send("slow\n"));
        QVERIFY(waitUntil([&] { return static_cast<bool>(late); }, soon()));
        server.reset();
        late("later still\n");
        QCOMPARE(client.readAll(), QByteArray());
    }

    void whoGoesInTheMiddleLeavesNothing()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        for (const char *request : {"", "sta", "status\n", "large\n"}) {
            for (int i = 0; i < 3; ++i) {
                const ControlPeer client(m_path);
                client.send(request);
                if (i == 1) // its answer has begun
                    QCoreApplication::processEvents();
                if (i == 2)
                    client.endRequest();
            }
            QVERIFY2(waitUntil([&] { return m_usage.descriptors() == descriptors; }, soon()),
                     request);
        }
        ControlPeer client(m_path);
        QVERIFY(client.send("still there\n"));
        QCOMPARE(client.readAll(), QByteArray("you said still there\n"));
    }

    void oneTooManyIsToldSoAndTheOthersWorkOn()
    {
        std::vector<Reply> replies; // to clients that have asked
        const auto later = [&](const QByteArray &, const Reply &reply) {
            replies.push_back(reply);
        };
        ControlServer::Limits limits = patient;
        limits.request = ControlServer::Limits().request;
        ControlServer server(later, limits);
        QVERIFY(server.listen(m_path).ok());
        std::vector<ControlPeer> clients;
        for (std::size_t i = 0; i < 3; ++i) {
            clients.emplace_back(m_path);
            QVERIFY(clients.back().send("status\n"));
            QVERIFY(waitUntil([&] { return replies.size() == i + 1; }, soon()));
        }
        for (int i = 0; i < 100; ++i) {
            ControlPeer late(m_path);
            late.send(QByteArray(limits.request - 1, ' ') + '\n'); // of which nothing is read
            QCOMPARE(codeOf(late.readAll()), QStringLiteral("busy"));
            QVERIFY(late.isAtEnd());
        }
        for (std::size_t i = 0; i < 3; ++i) {
            replies[i]("you said status\n");
            QCOMPARE(clients[i].readAll(), QByteArray("you said status\n"));
        }
        ControlPeer next(m_path);
        QVERIFY(next.send("status\n"));
        QVERIFY(waitUntil([&] { return replies.size() == 4; }, soon()));
    }

    void aSilentClientGivesWayToOneThatAsks()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        std::vector<ControlPeer> clients;
        clients.reserve(3);
        for (int i = 0; i < 3; ++i)
            clients.emplace_back(m_path);
        ControlPeer asking(m_path);
        QVERIFY(asking.send("status\n"));
        QCOMPARE(asking.readAll(), QByteArray("you said status\n"));
        QCOMPARE(codeOf(clients[0].readAll()), QStringLiteral("busy"));
        for (std::size_t i = 1; i < 3; ++i) {
            QVERIFY(clients[i].send("status\n"));
            QCOMPARE(clients[i].readAll(), QByteArray("you said status\n"));
        }
    }

    void clientsThatHaveGoneGiveWay()
    {
        qsizetype asked = 0;
        const auto never = [&](const QByteArray &, const Reply &) { ++asked; };
        ControlServer server(never, patient);
        QVERIFY(server.listen(m_path).ok());
        for (qsizetype i = 0; i < 3; ++i) {
            const ControlPeer goes(m_path);
            QVERIFY(goes.send("status\n"));
            QVERIFY(waitUntil([&] { return asked == i + 1; }, soon()));
        }
        for (const char *part : {"", "stat"}) // and before they have asked
            static_cast<void>(ControlPeer(m_path).send(part));
        const ControlPeer asking(m_path);
        QVERIFY(asking.send("status\n"));
        QVERIFY(waitUntil([&] { return asked == 4; }, soon()));
    }

private:
    static QDeadlineTimer soon() { return QDeadlineTimer(patience); }
    const ProcessUsage m_usage{getpid()};

    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_path;
};

DTLSD_TEST(TestControlServer)
#include "tst_controlserver.moc"
