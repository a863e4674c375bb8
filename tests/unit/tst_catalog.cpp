// SPDX-License-Identifier: Apache-2.0
//
// The table of events and packaging/systemd/dtlsd.catalog.
#include "events/EventLog.h"
#include "events/Reasons.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QMap>
#include <QRegularExpression>

#include <set>
#include <vector>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// The body of each entry of the catalog, by MESSAGE_ID.
QMap<QString, QString> catalog()
{
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/packaging/systemd/dtlsd.catalog"));
    QMap<QString, QString> entries;
    if (!file.open(QIODevice::ReadOnly))
        return entries;
    const QStringList pieces =
        QString::fromUtf8(file.readAll()).split(QStringLiteral("\n-- "), Qt::SkipEmptyParts);
    for (const QString &piece : pieces.mid(1)) // the first is the comment at its head
        entries.insert(piece.section(u'\n', 0, 0), piece.section(u'\n', 1));
    return entries;
}

/// All of them. What follows the last value of an enumeration is called `error` as well.
template <class Enumeration>
QSet<QString> reasonNames()
{
    QSet<QString> names;
    for (int value = 0; value < 64; ++value)
        names += QLatin1String(reasonFor(static_cast<Enumeration>(value)).name);
    return names;
}

/// One event of each kind, with nothing known that may be unknown.
std::vector<LogRecord> barestRecords()
{
    SessionInfo stranger = session();
    stranger.identity.clear();
    stranger.cipher = {};
    LogOptions options;
    options.level = Priority::Debug;
    options.payload = PayloadFormat::None;
    const EventLog log(options);
    return {log.describe(Started{}),
            log.describe(SessionsLost{}),
            log.describe(Stopping{}),
            log.describe(Reloaded{}),
            log.describe(ReloadRejected{}),
            log.describe(ListenFailed{}),
            log.describe(ConfigMessage{}),
            log.describe(HandshakeStarted{stranger}),
            log.describe(HandshakeFailed{stranger, HandshakeFailure::Timeout}),
            log.describe(SessionOpened{session(), false, {}}),
            log.describe(SessionMoved{session(), {}, false, 1}),
            log.describe(SessionClosed{session(), CloseReason::Idle, {}, {}, {}}),
            log.describe(Datagram{session(), 1, "x", {}, {}}),
            log.describe(PeerMisbehaving{session(), 1}),
            log.describe(IdentityLimited{"sensor-17", 1, 1}),
            log.describe(ReplyDropped{session(), 1, 600, 512}),
            log.describe(ServiceUnreachable{}),
            log.describe(ServiceReachable{}),
            log.describe(UnverifiedTraffic{}),
            log.describe(Losses{1, 0}),
            log.describe(Verifiability{}),
            log.describe(StatisticsTaken{})};
}

} // namespace

class TestCatalog : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyKindHasItsOwnIdAndACatalogEntry();
    void everyReasonIsExplainedInTheCatalog();
    void theCatalogRefersToFieldsThatEveryEventOfItsKindHas();
};

void TestCatalog::everyKindHasItsOwnIdAndACatalogEntry()
{
    QStringList inCatalog = catalog().keys();
    QStringList inTable;
    std::set<std::string> names;
    for (const EventKind &kind : EventLog::kinds()) {
        inTable += QString::fromLatin1(kind.messageId);
        names.insert(kind.name);
    }
    QCOMPARE(names.size(), EventLog::kinds().size());
    QCOMPARE(QSet<QString>(inTable.begin(), inTable.end()).size(), inTable.size());
    inCatalog.sort();
    inTable.sort();
    QCOMPARE(inCatalog, inTable);
}

void TestCatalog::everyReasonIsExplainedInTheCatalog()
{
    const auto explained = [](const EventKind &kind) {
        static const QRegularExpression line(QStringLiteral("^([a-z-]+): "),
                                             QRegularExpression::MultilineOption);
        // The paragraph of causes; the one of next steps may pass over some.
        const QStringList paragraphs =
            catalog().value(QLatin1String(kind.messageId)).split(QStringLiteral("\n\n"));
        QSet<QString> names;
        auto match = line.globalMatch(paragraphs.value(2));
        while (match.hasNext())
            names += match.next().captured(1);
        return names;
    };
    QCOMPARE(explained(EventLog::kindOf(SessionClosed{})), reasonNames<CloseReason>());
    QCOMPARE(explained(EventLog::kindOf(HandshakeFailed{})), reasonNames<HandshakeFailure>());
    // The other drops are not the service's: statistics alone have them.
    QSet<QString> unreachable = reasonNames<ForwardDrop>();
    for (const ForwardDrop drop : {ForwardDrop::NotLogged, ForwardDrop::AnswerQueue})
        unreachable.remove(QLatin1String(reasonFor(drop).name));
    QCOMPARE(explained(EventLog::kindOf(ServiceUnreachable{})), unreachable);
}

void TestCatalog::theCatalogRefersToFieldsThatEveryEventOfItsKindHas()
{
    const QMap<QString, QString> entries = catalog();
    std::set<std::string> kinds;
    for (const LogRecord &record : barestRecords()) {
        kinds.insert(record.event);
        static const QRegularExpression reference(QStringLiteral("@([^@\\s]+)@"));
        auto match = reference.globalMatch(entries.value(QLatin1String(record.messageId)));
        while (match.hasNext()) {
            const QByteArray name = match.next().captured(1).toLatin1();
            QVERIFY2(hasField(record, name),
                     (QByteArray(record.event) + " has no " + name).constData());
        }
    }
    QCOMPARE(kinds.size(), EventLog::kinds().size());
}

DTLSD_TEST(TestCatalog)
#include "tst_catalog.moc"
