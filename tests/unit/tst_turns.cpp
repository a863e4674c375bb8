// SPDX-License-Identifier: Apache-2.0
//
// What a worker does in one turn, that is, before it looks at its sockets again: however many
// sessions end for one reason, few of them end in a turn.
#include "support/MemoryNetwork.h"
#include "support/TestProgram.h"

#include <QPointer>

#include <algorithm>
#include <functional>
#include <memory>
#include <variant>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int crowd = 400;
#else
constexpr int crowd = 2'000;
#endif

// Of one kind of work in a turn, and what the last part of the table has beyond the budget.
constexpr int lastPart = 64;
constexpr int mostEnds = Sweep::budget / Sweep::costOfEnd + lastPart;
constexpr int mostLooks = Sweep::budget + lastPart;

/// A worker with a crowd of sessions whose time stands still, and what it does turn by turn.
class Stage
{
public:
    explicit Stage(int sessions)
        : network(settings())
    {
        network.stopClock();
        for (int i = 0; i < sessions; ++i) {
            MemoryNetwork::Device &device = network.add(i, cheapClient());
            network.run();
            network.crash(device);
        }
        QObject::connect(network.server.get(), &DtlsServer::infoMessage, network.server.get(),
                         [this](const ServerEvent &event) {
                             m_ends += std::holds_alternative<SessionClosed>(event) ? 1 : 0;
                         });
    }

    static ServerSettings settings()
    {
        ServerSettings settings = MemoryNetwork::defaultSettings();
        settings.limits.maxSessions = std::max(crowd, 2 * mostLooks);
        settings.limits.idleTimeout = 1h;
        return settings;
    }

    void apply(const ServerSettings &settings)
    {
        network.server->apply(std::make_shared<const ServerSettings>(settings));
    }
    bool look(const SessionInfo &)
    {
        ++m_looks;
        return false;
    }
    /// One turn, which @p work begins.
    void turn(const std::function<void()> &work)
    {
        m_ends = m_looks = 0;
        work();
        if (m_socket) // not left yet
            static_cast<void>(m_socket->takeSent());
        mostEndsAtOnce = std::max(mostEndsAtOnce, m_ends);
        mostLooksAtOnce = std::max(mostLooksAtOnce, m_looks);
        ended += m_ends;
        looked += m_looks;
    }
    /// The turns that follow, for as long as something is to do.
    void goOn()
    {
        for (int idle = 0; idle < 100;) {
            turn([this] { network.advance(0ms); });
            idle = m_ends + m_looks == 0 ? idle + 1 : 0;
        }
    }

    MemoryNetwork network;
    int mostEndsAtOnce = 0;
    int mostLooksAtOnce = 0;
    int ended = 0;
    int looked = 0;

private:
    static DtlsClient::Options cheapClient()
    {
        DtlsClient::Options options = MemoryNetwork::defaultClient();
        options.ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value();
        return options;
    }

    const QPointer<MemorySocket> m_socket{network.serverSocket};
    int m_ends = 0;
    int m_looks = 0;
};

} // namespace

class TestTurns : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fewSessionsEndInATurn_data();
    void fewSessionsEndInATurn();
    void fewSessionsAreLookedAtInATurn();
};

using Work = std::function<void(Stage &)>;
Q_DECLARE_METATYPE(Work)

void TestTurns::fewSessionsEndInATurn_data()
{
    QTest::addColumn<Work>("work");
    QTest::addColumn<int>("kinds"); // of work that fall into the same turn
    const auto row = [](const char *name, int kinds, const Work &work) {
        QTest::newRow(name) << work << kinds;
    };
    row("closed by the operator", 1, [](Stage &stage) {
        stage.network.server->closeSessions([](const SessionInfo &) { return true; }, {});
    });
    row("revoked", 1, [](Stage &stage) {
        ServerSettings settings = Stage::settings();
        settings.identities = std::make_shared<PskStore>();
        stage.apply(settings);
    });
    row("idle", 1, [](Stage &stage) { stage.network.advance(1h); });
    row("at the end of their lifetime", 1, [](Stage &stage) {
        ServerSettings settings = Stage::settings();
        settings.limits.sessionLifetime = 1min;
        stage.apply(settings);
        stage.network.advance(1min);
    });
    row("evicted by a lowered limit", 1, [](Stage &stage) {
        ServerSettings settings = Stage::settings();
        settings.limits.maxSessions = 0;
        stage.apply(settings);
    });
    row("at an address that is left", 1,
        [](Stage &stage) { stage.network.server->leave(MemoryNetwork::serverAddress()); });
    row("at the end", 1, [](Stage &stage) { stage.network.server->close(); });
    row("revoked, idle and beyond a lowered limit at once", 3, [](Stage &stage) {
        ServerSettings settings = Stage::settings();
        settings.identities = std::make_shared<PskStore>();
        settings.limits.maxSessions = 0;
        stage.apply(settings);
        stage.network.advance(1h);
    });
}

void TestTurns::fewSessionsEndInATurn()
{
    QFETCH(Work, work);
    QFETCH(int, kinds);
    Stage stage(crowd);
    QCOMPARE(stage.network.server->statistics().sessions, crowd);
    stage.turn([&] { work(stage); });
    stage.goOn();
    qInfo("at most %d in a turn", stage.mostEndsAtOnce);
    QCOMPARE(stage.ended, crowd);
    QVERIFY(stage.mostEndsAtOnce <= kinds * mostEnds);
}

void TestTurns::fewSessionsAreLookedAtInATurn()
{
    constexpr int all = 2 * mostLooks;
    Stage stage(all);
    stage.turn([&] {
        stage.network.server->closeSessions(
            [&stage](const SessionInfo &info) { return stage.look(info); }, {});
    });
    stage.goOn();
    qInfo("at most %d in a turn", stage.mostLooksAtOnce);
    QVERIFY(stage.looked >= all);
    QVERIFY(stage.mostLooksAtOnce <= mostLooks);
    QCOMPARE(stage.ended, 0);
}

DTLSD_TEST(TestTurns)
#include "tst_turns.moc"
