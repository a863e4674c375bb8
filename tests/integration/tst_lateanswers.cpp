// SPDX-License-Identifier: Apache-2.0
//
// A service that answers late, and more than once, while sessions come and go: no device gets a
// byte that is for another, or for its own former session.
#include "ForwardStage.h"
#include "support/TestProgram.h"

#include <QTimer>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t atOnce = 20;
constexpr int sessionsEach = 20;
constexpr std::chrono::milliseconds latest{4000};

/// One device after the other's session; each says a few things and is gone before most answers.
class Visitor
{
public:
    Visitor(int number, const SocketAddress &server)
        : m_identity("device-" + QByteArray::number(number))
        , m_server(server)
        , m_random(static_cast<unsigned>(number))
    {
        m_timer.setSingleShot(true);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { goOn(); });
    }

    void start() { m_timer.start(0); }
    [[nodiscard]] bool isDone() const { return m_sessions == sessionsEach && m_said == 3; }
    [[nodiscard]] bool isOpen(const QByteArray &session) const { return session == m_label; }
    [[nodiscard]] const QByteArray &identity() const { return m_identity; }
    [[nodiscard]] const QByteArray &label() const { return m_label; }
    [[nodiscard]] int failures() const { return m_failures; }
    [[nodiscard]] int heard() const { return m_heard; }
    [[nodiscard]] const QList<QByteArray> &foreign() const { return m_foreign; }

private:
    void goOn()
    {
        if (isDone())
            return; // the last session stays
        if (m_client && m_said < 3) {
            m_client->send(m_label + " says " + QByteArray::number(++m_said));
            return m_timer.start(std::chrono::milliseconds(m_random() % 40));
        }
        if (m_client)
            m_client->close();
        m_said = 0;
        m_label = m_identity + '/' + QByteArray::number(++m_sessions);
        m_client = std::make_unique<DtlsClient>(
            DtlsClient::Options{.identity = m_identity,
                                .key = PskKey(QByteArray::fromHex(ForwardStage::keyLine().mid(
                                    static_cast<qsizetype>(sizeof "key = hex:") - 1, 32))),
                                .ciphers = {},
                                .handshakeTimeout = patience});
        QObject::connect(m_client.get(), &DtlsClient::connected, &m_timer, [this] { goOn(); });
        QObject::connect(m_client.get(), &DtlsClient::failed, &m_timer, [this] { ++m_failures; });
        QObject::connect(m_client.get(), &DtlsClient::received, &m_timer,
                         [this](const QByteArray &text) {
                             ++m_heard;
                             if (!text.startsWith("for " + m_label + " says "))
                                 m_foreign << m_label + " has got: " + text;
                         });
        if (!m_client->connectTo(m_server))
            ++m_failures;
    }

    const QByteArray m_identity;
    const SocketAddress m_server;
    std::mt19937 m_random;
    QTimer m_timer;
    std::unique_ptr<DtlsClient> m_client;
    QByteArray m_label;
    int m_sessions = 0;
    int m_said = 0;
    int m_heard = 0;
    int m_failures = 0;
    QList<QByteArray> m_foreign;
};

} // namespace

class TestLateAnswers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void noDeviceHearsWhatIsForAnother_data();
    void noDeviceHearsWhatIsForAnother();
};

void TestLateAnswers::noDeviceHearsWhatIsForAnother_data()
{
    QTest::addColumn<QHostAddress>("host");
    QTest::addColumn<int>("workers");
    QTest::newRow("a service at 127.0.0.1") << QHostAddress(QHostAddress::LocalHost) << 2;
    QTest::newRow("a service at [::1]") << QHostAddress(QHostAddress::LocalHostIPv6) << 2;
}

void TestLateAnswers::noDeviceHearsWhatIsForAnother()
{
    QFETCH(QHostAddress, host);
    QFETCH(int, workers);
    ForwardStage stage({.server = "reply = none\n", .host = host, .workers = workers});
    QVERIFY2(stage.start(), qPrintable(stage.daemon().errorText()));

    std::vector<std::unique_ptr<Visitor>> visitors;
    visitors.reserve(atOnce);
    for (std::size_t i = 0; i < atOnce; ++i)
        visitors.push_back(std::make_unique<Visitor>(static_cast<int>(i), stage.server()));
    std::map<SocketAddress, std::set<QByteArray>> sessionsAt;
    int questions = 0;
    int answers = 0;
    int late = 0;
    std::mt19937 random(5);
    QObject context; // ends before the service does
    stage.service().handleBy([&](const UdpService::Question &question) {
        ++questions;
        const QByteArray session = question.text.first(question.text.indexOf(' '));
        sessionsAt[question.from].insert(session);
        for (int copy = 0; copy < 3; ++copy) {
            const std::chrono::milliseconds delay(random() % static_cast<unsigned>(latest.count()));
            QTimer::singleShot(delay, &context, [&, session, question] {
                ++answers;
                late += std::ranges::none_of(
                    visitors, [&](const auto &visitor) { return visitor->isOpen(session); });
                stage.service().answer(question.from, "for " + question.text);
            });
        }
    });
    for (const auto &visitor : visitors)
        visitor->start();
    const auto areDone = [&] {
        return std::ranges::all_of(visitors, [](const auto &it) { return it->isDone(); });
    };
    QVERIFY(waitUntil(areDone, QDeadlineTimer(3 * patience)));
    // Each question gets there: their number on loopback is small.
    const int expected = static_cast<int>(atOnce) * sessionsEach * 3;
    QTRY_COMPARE(questions, expected);
    QVERIFY(waitUntil([&] { return answers == 3 * expected; }, QDeadlineTimer(patience)));

    int heard = 0;
    for (const auto &visitor : visitors) {
        QCOMPARE(visitor->failures(), 0);
        QVERIFY2(visitor->foreign().isEmpty(), visitor->foreign().join('\n').constData());
        heard += visitor->heard();
    }
    QVERIFY2(heard > 100, qPrintable(QString::number(heard)));
    QVERIFY2(late > 1000, qPrintable(QString::number(late)));
    // Whatever the times were: none could have.
    QCOMPARE(sessionsAt.size(), atOnce * sessionsEach);
    for (const auto &[address, sessions] : sessionsAt)
        QCOMPARE(sessions.size(), std::size_t{1});
    QCOMPARE(stage.daemon().stop(), 0);
}

DTLSD_TEST(TestLateAnswers)
#include "tst_lateanswers.moc"
