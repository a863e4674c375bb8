// SPDX-License-Identifier: Apache-2.0
//
// One connection of a ControlServer: how long a request may be and take, and who gets the whole
// answer.
#include "control/ControlConnection.h"
#include "support/ControlPeer.h"
#include "support/EchoingControl.h"
#include "support/ProcessUsage.h"
#include "support/TestProgram.h"

#include <QTemporaryDir>

#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

class TestControlConnection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_path = m_folder->filePath(QStringLiteral("control.sock"));
    }

    void aRequestMayComeInPieces()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("sta"));
        QCoreApplication::processEvents();
        QVERIFY(client.read().isEmpty());
        QVERIFY(client.send("tus\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
    }

    void aSecondRequestIsNotHeard()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("one\ntwo\n"));
        QCOMPARE(client.readAll(), QByteArray("you said one\n"));
    }

    void requestsHaveALongestLength_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<QByteArray>("answer");
        const QByteArray most(63, 'r');
        QTest::newRow("the longest is answered") << most + '\n' << "you said " + most + '\n';
        QTest::newRow("an empty one is a request too")
            << QByteArray("\n") << QByteArray("you said \n");
        QTest::newRow("one byte more is refused") << most + "r\n" << QByteArray();
        QTest::newRow("without a line feed as well") << most + "rr" << QByteArray();
        QTest::newRow("and one without an end") << QByteArray(100'000, 'r') << QByteArray();
    }
    void requestsHaveALongestLength()
    {
        QFETCH(QByteArray, request);
        QFETCH(QByteArray, answer);
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        client.send(request);
        const auto said = client.readAll();
        if (!answer.isEmpty())
            QCOMPARE(said, answer);
        else
            QCOMPARE(codeOf(said), QStringLiteral("bad-request"));
    }

    void whoSaysNothingIsToldThatTimeIsUp()
    {
        ControlServer server(echo, brief);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QCOMPARE(codeOf(client.readAll()), QStringLiteral("timeout"));
        QVERIFY(client.isAtEnd());
    }

    void eachByteDoesNotBuyMoreTime()
    {
        ControlServer server(echo, brief);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        std::optional<QByteArray> answer;
        for (int i = 0; i < 60 && !answer; ++i) {
            client.send("a");
            answer = client.readAll(QDeadlineTimer(20));
        }
        QCOMPARE(codeOf(answer), QStringLiteral("timeout"));
    }

    void whoHasFinishedSendingStillGetsAllOfALargeAnswer_data()
    {
        QTest::addColumn<bool>("isUnderWay");
        QTest::newRow("with the request") << false;
        QTest::newRow("while the answer is under way") << true;
    }
    void whoHasFinishedSendingStillGetsAllOfALargeAnswer()
    {
        QFETCH(bool, isUnderWay);
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("large\n"));
        QByteArray answer;
        if (isUnderWay)
            QVERIFY(waitUntil([&] { return !(answer = client.read()).isEmpty(); }, soon()));
        client.endRequest();
        answer += client.readAll().value_or(QByteArray());
        QCOMPARE(answer.size(), largeAnswer.size());
        QVERIFY(answer == largeAnswer);
        QVERIFY(client.isAtEnd());
    }

    void aRequestThatEndsWithoutALineFeedIsRefused()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("status"));
        client.endRequest();
        QCOMPARE(codeOf(client.readAll()), QStringLiteral("bad-request"));
    }

    void whoDoesNotReadIsLeftBehind()
    {
        bool isAsked = false;
        const auto answer = [&isAsked](const QByteArray &request, const Reply &reply) {
            isAsked = true;
            echo(request, reply);
        };
        ControlServer server(answer, brief);
        QVERIFY(server.listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        ControlPeer client(m_path);
        QVERIFY(client.send("large\n"));
        QVERIFY(waitUntil([&] { return isAsked; }, soon()));
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors + 1; }, soon()));
        const auto received = client.readAll();
        QVERIFY(received);
        QVERIFY(received->size() < largeAnswer.size());
    }

    void aLongAnswerComesInPartsAsItsClientReads()
    {
        Parts parts{.left = 200};
        ControlServer server([&parts](const auto &, const Reply &reply) { parts.tell(reply); },
                             patient);
        QVERIFY(server.listen(m_path).ok());
        ControlPeer client(m_path);
        QVERIFY(client.send("all\n"));
        // It waits for the client: what the kernel takes, and a part more.
        QVERIFY(waitUntil([&] { return parts.hasStopped(); }, soon()));
        QVERIFY(parts.left > 100);
        QByteArray answer = client.read();
        QVERIFY(!answer.isEmpty());
        answer += client.readAll().value_or(QByteArray());
        QCOMPARE(parts.left, 0);
        QCOMPARE(answer, parts.told);
        QVERIFY(client.isAtEnd());
    }

    void whoDoesNotReadPartsIsLeftBehind()
    {
        Parts parts{.left = 1'000'000};
        ControlServer server([&parts](const auto &, const Reply &reply) { parts.tell(reply); },
                             brief);
        QVERIFY(server.listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        ControlPeer client(m_path);
        QVERIFY(client.send("all\n"));
        QVERIFY(waitUntil([&] { return parts.left < 1'000'000; }, soon()));
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors + 1; }, soon()));
        QVERIFY(parts.left > 900'000);
    }

    void whoGoesGetsNoFurtherPart()
    {
        Parts parts{.left = 1'000'000};
        ControlServer server([&parts](const auto &, const Reply &reply) { parts.tell(reply); },
                             patient);
        QVERIFY(server.listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        {
            ControlPeer client(m_path);
            QVERIFY(client.send("all\n"));
            QVERIFY(waitUntil([&] { return parts.left < 1'000'000; }, soon()));
        }
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors; }, soon()));
        QVERIFY(parts.left > 900'000);
    }

private:
    /// Parts of an answer, made one by one.
    struct Parts
    {
        int left = 0;
        QByteArray told = {};
        int seen = 0; // left, when it was last looked at

        void tell(const Reply &reply)
        {
            const QByteArray lines = QByteArray(9999, 'x') + '\n';
            told += lines;
            if (--left == 0)
                return reply(lines);
            reply(lines, [this, reply] { tell(reply); });
        }
        /// Whether some were made, but none since it was last asked.
        bool hasStopped() { return !told.isEmpty() && left == std::exchange(seen, left); }
    };

    static QDeadlineTimer soon() { return QDeadlineTimer(patience); }
    const ProcessUsage m_usage{getpid()};

    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_path;
};

DTLSD_TEST(TestControlConnection)
#include "tst_controlconnection.moc"
