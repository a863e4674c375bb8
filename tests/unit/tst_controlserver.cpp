// SPDX-License-Identifier: Apache-2.0
#include "control/ControlServer.h"

#include "core/Descriptor.h"
#include "support/ControlClient.h"
#include "support/ProcessUsage.h"

#include <QAbstractEventDispatcher>
#include <QDir>
#include <QFile>
#include <QLocalServer>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr ControlServer::Limits brief{.connections = 3, .request = 64, .patience = 100ms};
constexpr ControlServer::Limits patient{.connections = 3, .request = 64, .patience = 30s};

/// More than the kernel keeps for a client that does not read.
const QByteArray largeAnswer = QByteArray(8'000'000, 'x') + '\n';

/// Echoes requests; `large` gets the large answer.
void echo(const QByteArray &request, const ControlServer::Reply &reply)
{
    reply(request == "large" ? largeAnswer : "you said " + request + '\n');
}

/// As echo(), but the reply to `slow` is left in @p late.
ControlServer::Answer holding(ControlServer::Reply &late)
{
    return [&late](const QByteArray &request, const ControlServer::Reply &reply) {
        if (request == "slow")
            late = reply;
        else
            echo(request, reply);
    };
}

QString text(const QJsonObject &object, const char *name)
{
    return object.value(QLatin1String(name)).toString();
}

/// What a refusal says; empty if @p answer is none.
QString codeOf(const std::optional<QByteArray> &answer)
{
    const QList<QJsonObject> objects = ControlClient::parse(answer);
    const bool isRefusal =
        objects.size() == 1 && objects[0].value(QStringLiteral("ok")) == QJsonValue(false);
    return isRefusal ? text(objects[0], "code") : QString();
}

mode_t modeOf(const QString &path)
{
    struct stat status = {};
    return lstat(QFile::encodeName(path).constData(), &status) == 0 ? status.st_mode : 0;
}

/// While there is one, this process gets no further descriptor.
class NoDescriptors
{
public:
    NoDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &m_before);
        const rlimit few{128, m_before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
        while (true) {
            Descriptor one(::dup(STDERR_FILENO));
            if (!one.isOpen())
                break;
            m_taken.push_back(std::move(one));
        }
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &m_before); }
    NoDescriptors(const NoDescriptors &) = delete;
    NoDescriptors &operator=(const NoDescriptors &) = delete;

private:
    rlimit m_before = {};
    std::vector<Descriptor> m_taken;
};

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
        ControlClient client(m_path);
        QVERIFY(client.send("status\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
        QVERIFY(client.isAtEnd());
    }

    void aRequestMayComeInPieces()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlClient client(m_path);
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
        ControlClient client(m_path);
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
        ControlClient client(m_path);
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
        ControlClient client(m_path);
        QCOMPARE(codeOf(client.readAll()), QStringLiteral("timeout"));
        QVERIFY(client.isAtEnd());
    }

    void eachByteDoesNotBuyMoreTime()
    {
        ControlServer server(echo, brief);
        QVERIFY(server.listen(m_path).ok());
        ControlClient client(m_path);
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
        ControlClient client(m_path);
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
        ControlClient client(m_path);
        QVERIFY(client.send("status"));
        client.endRequest();
        QCOMPARE(codeOf(client.readAll()), QStringLiteral("bad-request"));
    }

    void whoDoesNotReadIsLeftBehind()
    {
        ControlServer server(echo, brief);
        QVERIFY(server.listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        ControlClient client(m_path);
        QVERIFY(client.send("large\n"));
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors + 2; }, soon()));
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors + 1; }, soon()));
        const auto answer = client.readAll();
        QVERIFY(answer);
        QVERIFY(answer->size() < largeAnswer.size());
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
        ControlServer::Reply late;
        ControlServer server(holding(late), brief);
        QVERIFY(server.listen(m_path).ok());
        ControlClient client(m_path);
        QVERIFY(client.send("slow\n"));
        if (hasFinishedSending)
            client.endRequest();
        QVERIFY(waitUntil([&] { return static_cast<bool>(late); }, soon()));
        // Longer than the server waits for a client.
        for (int i = 0; i < 3; ++i)
            QCOMPARE(codeOf(ControlClient(m_path).readAll()), QStringLiteral("timeout"));
        ControlClient other(m_path);
        QVERIFY(other.send("status\n"));
        QCOMPARE(other.readAll(), QByteArray("you said status\n"));

        late("at last\n");
        late("twice\n"); // which says nothing to anybody
        QCOMPARE(client.readAll(), QByteArray("at last\n"));
        QVERIFY(client.isAtEnd());
    }

    void whoGoesBeforeTheAnswerMakesRoom()
    {
        ControlServer::Reply late;
        std::optional<ControlServer> server(std::in_place, holding(late), brief);
        QVERIFY(server->listen(m_path).ok());
        const qsizetype descriptors = m_usage.descriptors();
        {
            const ControlClient client(m_path);
            QVERIFY(client.send("slow\n"));
            QVERIFY(waitUntil([&] { return static_cast<bool>(late); }, soon()));
        }
        QVERIFY(waitUntil([&] { return m_usage.descriptors() == descriptors; }, soon()));
        late("too late\n");

        ControlClient client(m_path);
        late = nullptr;
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
                const ControlClient client(m_path);
                client.send(request);
                if (i == 1) // its answer has begun
                    QCoreApplication::processEvents();
                if (i == 2)
                    client.endRequest();
            }
            QVERIFY2(waitUntil([&] { return m_usage.descriptors() == descriptors; }, soon()),
                     request);
        }
        ControlClient client(m_path);
        QVERIFY(client.send("still there\n"));
        QCOMPARE(client.readAll(), QByteArray("you said still there\n"));
    }

    void oneTooManyIsToldSoAndTheOthersWorkOn()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        std::vector<ControlClient> clients;
        clients.reserve(3);
        for (int i = 0; i < 3; ++i)
            clients.emplace_back(m_path);
        for (int i = 0; i < 100; ++i) {
            ControlClient late(m_path);
            late.send("status\n");
            QCOMPARE(codeOf(late.readAll()), QStringLiteral("busy"));
            QVERIFY(late.isAtEnd());
        }
        for (ControlClient &client : clients) {
            QVERIFY(client.send("status\n"));
            QCOMPARE(client.readAll(), QByteArray("you said status\n"));
        }
        ControlClient next(m_path);
        QVERIFY(next.send("status\n"));
        QCOMPARE(next.readAll(), QByteArray("you said status\n"));
    }

    void aConnectionThatCannotBeAcceptedWaits()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlClient first(m_path);
        ControlClient waiting(m_path);
        QVERIFY(waiting.send("status\n"));
        {
            const NoDescriptors none;
            // The server has kept one descriptor for whoever asks what is wrong. With none left,
            // one that keeps trying has something to do each time it is asked.
            bool rests = false;
            for (int i = 0; i < 100; ++i)
                rests = !QAbstractEventDispatcher::instance()->processEvents({}) || rests;
            QVERIFY(rests);
            QVERIFY(waiting.read().isEmpty());
            QVERIFY(S_ISSOCK(modeOf(m_path)));
            QVERIFY(first.send("health\n"));
            QCOMPARE(first.readAll(), QByteArray("you said health\n"));
        }
        QCOMPARE(waiting.readAll(), QByteArray("you said status\n"));
        ControlClient next(m_path);
        QVERIFY(next.send("status\n"));
        QCOMPARE(next.readAll(), QByteArray("you said status\n"));
    }

    void onlyTheGroupIsLetIn()
    {
        if (geteuid() != 0)
            QSKIP("other users take root");
        QCOMPARE(chmod(QFile::encodeName(m_folder->path()).constData(), 0711), 0);
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        QCOMPARE(modeOf(m_path), mode_t{S_IFSOCK | 0660});
        constexpr uid_t other = 12345;
        QVERIFY(!ControlClient(m_path, {other, other, {}}).isConnected());
        ControlClient member(m_path, {other, other, {other + 1, getegid()}});
        QVERIFY(member.send("status\n"));
        QCOMPARE(member.readAll(), QByteArray("you said status\n"));

        QCOMPARE(chmod(QFile::encodeName(m_path).constData(), 0666), 0);
        ControlClient stranger(m_path, {other, other, {other + 1}});
        QVERIFY(stranger.send("status\n"));
        QCOMPARE(codeOf(stranger.readAll()), QStringLiteral("forbidden"));
        QVERIFY(stranger.isAtEnd());
    }

    void aSocketThatNobodyListensAtIsReplaced()
    {
        const QByteArray path = QFile::encodeName(m_path);
        {
            // As a process that was killed leaves it.
            QLocalServer dead;
            QVERIFY(dead.listen(m_path));
            QCOMPARE(::link(path.constData(), (path + ".kept").constData()), 0);
        }
        QCOMPARE(::rename((path + ".kept").constData(), path.constData()), 0);
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        ControlClient client(m_path);
        QVERIFY(client.send("status\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
    }

    void oneWhereSomebodyListensIsLeftAlone()
    {
        ControlServer first(echo, patient);
        QVERIFY(first.listen(m_path).ok());
        ControlServer second([](const auto &, const auto &reply) { reply("second\n"); }, patient);
        const auto listening = second.listen(m_path);
        QVERIFY(!listening.ok());
        QCOMPARE(listening.error().message,
                 QStringLiteral("another process listens at %1").arg(m_path));
        ControlClient client(m_path);
        QVERIFY(client.send("status\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
    }

    void oneWhoseOwnerDoesNotAcceptIsLeftAlone()
    {
        QLocalServer busy; // accepts nobody while this test does not let it
        busy.setListenBacklogSize(0);
        QVERIFY(busy.listen(m_path));
        const ControlClient waits(m_path);
        QVERIFY(waits.isConnected());
        ControlServer server(echo, patient);
        QVERIFY(!server.listen(m_path).ok());
        QVERIFY(QFile::exists(m_path));
    }

    void whatIsNoSocketIsLeftAlone_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("a file") << QStringLiteral("file");
        QTest::newRow("a folder") << QStringLiteral("folder");
        QTest::newRow("a link, even to a socket") << QStringLiteral("link");
    }
    void whatIsNoSocketIsLeftAlone()
    {
        QFETCH(QString, kind);
        if (kind == u"file") {
            QFile file(m_path);
            QVERIFY(file.open(QIODevice::WriteOnly));
        } else if (kind == u"folder") {
            QVERIFY(QDir().mkdir(m_path));
        } else {
            QVERIFY(QFile::link(m_folder->filePath(QStringLiteral("elsewhere")), m_path));
        }
        const mode_t before = modeOf(m_path);
        ControlServer server(echo, patient);
        const auto listening = server.listen(m_path);
        QVERIFY(!listening.ok());
        QCOMPARE(listening.error().message,
                 QStringLiteral("%1 is there already, and no socket").arg(m_path));
        QCOMPARE(modeOf(m_path), before);
    }

    void theLastFolderIsMade()
    {
        const QString path = m_folder->filePath(QStringLiteral("dtlsd/control.sock"));
        {
            ControlServer server(echo, patient);
            QVERIFY(server.listen(path).ok());
            QVERIFY(S_ISSOCK(modeOf(path)));
        }
        QCOMPARE(modeOf(path), mode_t{0}); // and the socket goes with its server
        ControlServer server(echo, patient);
        QVERIFY(!server.listen(m_folder->filePath(QStringLiteral("a/b/control.sock"))).ok());
        QVERIFY(!QFile::exists(m_folder->filePath(QStringLiteral("a"))));
    }

    void aPathThatIsTooLongIsAnError()
    {
        ControlServer server(echo, patient);
        const auto listening = server.listen(m_folder->filePath(QString(200, u'x')));
        QVERIFY(!listening.ok());
        QVERIFY(listening.error().message.startsWith(QStringLiteral("cannot listen at /")));
    }

private:
    static QDeadlineTimer soon() { return QDeadlineTimer(patience); }

    const ProcessUsage m_usage{getpid()};
    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_path;
};

QTEST_GUILESS_MAIN(TestControlServer)
#include "tst_controlserver.moc"
