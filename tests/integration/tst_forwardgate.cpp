// SPDX-License-Identifier: Apache-2.0
//
// What a service has seen is in the journal: while that is stopped, away, or cannot be read back,
// nothing reaches the service, and afterwards it does, by itself.
#include "ForwardStage.h"
#include "support/JournalFaults.h"
#include "support/JournalInstance.h"
#include "support/JsonFields.h"
#include "support/PatientTest.h"

#include <QFile>
#include <QSet>
#include <QTemporaryDir>

#include <cerrno>
#include <climits>
#include <memory>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace std::chrono_literals;

namespace {

/// The event loop runs meanwhile: whatever is to come in that time comes.
void pass(std::chrono::milliseconds time)
{
    waitUntil([] { return false; }, QDeadlineTimer(time));
}

} // namespace

class TestForwardGate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void nothingPassesAJournalThatStands();
    void nothingPassesAJournalThatIsAway();
    void nothingPassesAJournalThatCannotBeReadBack();
    void whatASessionHasSaidBeforeItsEndPasses();

private:
    /// The payloads in the journal now.
    [[nodiscard]] QSet<QByteArray> logged() const;
    /// What the service has seen of late; each of it must be in the journal already.
    QList<QByteArray> takeSeen();
    /// Sends @p count datagrams, each another text.
    QList<QByteArray> say(HearingDevice &device, int count);
    /// Says something every now and then until the service sees something.
    [[nodiscard]] bool isOpenAgain(HearingDevice &device);

    std::unique_ptr<JournalInstance> m_journal;
    std::unique_ptr<ForwardStage> m_stage;
    QTemporaryDir m_directory;
    int m_number = 0;
    QList<QByteArray> m_seen; // by the service, all of it
};

void TestForwardGate::init()
{
    QString why;
    if (!JournalInstance::isAvailable(&why))
        QSKIP(qPrintable(why));
    m_journal = std::make_unique<JournalInstance>();
    QVERIFY2(m_journal->start(), qPrintable(m_journal->errorText()));
    m_seen.clear();
    m_stage = std::make_unique<ForwardStage>(ForwardStage::Settings{.journal = m_journal.get()});
}

void TestForwardGate::cleanup()
{
    m_stage.reset();
    m_journal.reset();
}

QSet<QByteArray> TestForwardGate::logged() const
{
    QSet<QByteArray> payloads;
    for (const QJsonObject &entry :
         m_journal->entries({QStringLiteral("DTLSD_EVENT=datagram-received")}, 0))
        payloads << JournalInstance::bytes(entry[QStringLiteral("DTLSD_PAYLOAD")]);
    return payloads;
}

QList<QByteArray> TestForwardGate::takeSeen()
{
    QList<QByteArray> seen;
    for (const UdpService::Question &question : m_stage->service().take())
        seen << question.text;
    const QSet<QByteArray> missing =
        seen.isEmpty() ? QSet<QByteArray>() : QSet<QByteArray>(seen.begin(), seen.end()) - logged();
    if (!missing.isEmpty())
        qCritical("a service has seen what is not in the journal: %s",
                  missing.values().join(", ").constData());
    if (!missing.isEmpty())
        QTest::qFail("see above", __FILE__, __LINE__);
    m_seen += seen;
    return seen;
}

QList<QByteArray> TestForwardGate::say(HearingDevice &device, int count)
{
    QList<QByteArray> texts;
    for (int i = 0; i < count; ++i) {
        texts << "message " + QByteArray::number(++m_number);
        device.send(texts.constLast());
    }
    return texts;
}

bool TestForwardGate::isOpenAgain(HearingDevice &device)
{
    QDeadlineTimer due(0);
    return waitUntil(
        [&] {
            if (due.hasExpired()) {
                say(device, 1);
                due.setRemainingTime(100);
            }
            return !takeSeen().isEmpty();
        },
        QDeadlineTimer(patience));
}

void TestForwardGate::nothingPassesAJournalThatStands()
{
    QVERIFY2(m_stage->start(), qPrintable(m_stage->daemon().errorText()));
    HearingDevice device(m_stage->server(), "one");
    QVERIFY(device.isConnected());
    const QList<QByteArray> first = say(device, 1);
    QTRY_VERIFY((takeSeen(), m_seen == first));

    m_journal->pause();
    const QList<QByteArray> texts = say(device, 50);
    const HearingDevice other(m_stage->server(), "two"); // all before has been received
    QVERIFY(other.isConnected());
    pass(300ms);
    QVERIFY(m_stage->service().take().empty());
    QCOMPARE(m_stage->dropped("not-logged"), 0);

    m_journal->resume();
    QTRY_VERIFY((takeSeen(), m_seen.size() == 51));
    QCOMPARE(m_seen, first + texts); // in their order
    QCOMPARE(m_stage->forwarded("datagrams_to_service"), 51);
    QCOMPARE(m_stage->daemon().stop(), 0);
}

void TestForwardGate::nothingPassesAJournalThatIsAway()
{
    QVERIFY2(m_stage->start(), qPrintable(m_stage->daemon().errorText()));
    HearingDevice device(m_stage->server(), "one");
    QVERIFY(device.isConnected());
    const QList<QByteArray> first = say(device, 1);
    QTRY_VERIFY((takeSeen(), m_seen == first));

    m_journal->kill();
    say(device, 10);
    QTRY_COMPARE(m_stage->dropped("not-logged"), 10);
    QCOMPARE(m_stage->metric("dtlsd_forward_dropped_datagrams_total", "cause=\"not-logged\""), 10);
    QVERIFY(m_stage->service().take().empty());
    QCOMPARE(m_stage->forwarded("datagrams_to_service"), 1);

    QVERIFY2(m_journal->launch(), qPrintable(m_journal->errorText()));
    QVERIFY(isOpenAgain(device));
    // The service is well all the time.
    QVERIFY(m_stage->daemon().events(QStringLiteral("service-unreachable")).isEmpty());
    QCOMPARE(m_stage->metric("dtlsd_service_reachable"), 1);
    QCOMPARE(m_stage->daemon().stop(), 0);
}

void TestForwardGate::nothingPassesAJournalThatCannotBeReadBack()
{
    const QString file = m_directory.filePath(QStringLiteral("faults"));
    JournalFaults *faults = JournalFaults::in(QFile::encodeName(file));
    QVERIFY(faults);
    m_stage->daemon().setEnvironment(QStringLiteral("LD_PRELOAD"),
                                     QStringLiteral(DTLSD_JOURNAL_FAULTS));
    m_stage->daemon().setEnvironment(QLatin1String(JournalFaults::variable), file);
    QVERIFY2(m_stage->start(), qPrintable(m_stage->daemon().errorText()));
    HearingDevice device(m_stage->server(), "one");
    QVERIFY(device.isConnected());
    QVERIFY(isOpenAgain(device));

    // Longer than entries wait for being read back.
    constexpr std::chrono::nanoseconds outage = 6s;
    faults->faults[0].set(faults->placeOf("sd_journal_open"), EMFILE, outage, INT_MAX);
    faults->faults[1].set(faults->placeOf("sd_journal_process"), EBADMSG, outage, 1);
    const auto isUnreadable = [&] {
        say(device, 1);
        pass(20ms);
        return !text(m_stage->status()[QStringLiteral("log")].toObject(), "obstacle").isEmpty();
    };
    QVERIFY(waitUntil(isUnreadable, QDeadlineTimer(patience)));
    static_cast<void>(takeSeen()); // what was read back before
    const QList<QByteArray> unseen = say(device, 10);
    QTRY_VERIFY(m_stage->dropped("not-logged") >= 10);
    QVERIFY(m_stage->service().take().empty());

    QVERIFY(isOpenAgain(device));
    for (const QByteArray &text : unseen) {
        QVERIFY(!m_seen.contains(text)); // it was given up, and its device may say it again
        QVERIFY(logged().contains(text));
    }
    QCOMPARE(m_stage->daemon().stop(), 0);
}

/// What a device says right before its goodbye.
void TestForwardGate::whatASessionHasSaidBeforeItsEndPasses()
{
    QVERIFY2(m_stage->start(), qPrintable(m_stage->daemon().errorText()));
    HearingDevice device(m_stage->server(), "one");
    QVERIFY(device.isConnected());
    m_journal->pause();
    const QList<QByteArray> texts = say(device, 5);
    device.close();
    const HearingDevice other(m_stage->server(), "two"); // all before has been received
    QVERIFY(other.isConnected());
    QVERIFY(m_stage->service().take().empty());
    m_journal->resume();
    QTRY_VERIFY((takeSeen(), m_seen.size() == 5));
    QCOMPARE(m_seen, texts);
    QTRY_COMPARE(m_stage->forwarded("sockets"), 0);
    QCOMPARE(m_stage->daemon().stop(), 0);
}

QTEST_GUILESS_MAIN(TestForwardGate)
#include "tst_forwardgate.moc"
