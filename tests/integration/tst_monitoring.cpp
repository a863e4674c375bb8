// SPDX-License-Identifier: Apache-2.0
//
// Metrics of the running daemon, what collectors make of them, and what packaging/monitoring asks
// of them. tests/run unpacks Prometheus' tools where they are not installed.
#include "control/Metrics.h"
#include "support/ChildProcess.h"
#include "support/DaemonProcess.h"
#include "support/HonestFleet.h"
#include "support/TestProgram.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTcpSocket>
#include <QTemporaryDir>

#include <algorithm>
#include <memory>

#include <signal.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

const QString sources = QStringLiteral(DTLSD_SOURCE_DIR);
const QString rulesFile = sources + QStringLiteral("/packaging/monitoring/dtlsd.rules.yml");
const QString dashboardFile =
    sources + QStringLiteral("/packaging/monitoring/grafana-dashboard.json");

QByteArray config(const QString &metricsFile)
{
    return "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n[control]\nmetrics_file = " +
           metricsFile.toUtf8() + "\n[psk]\nfile =\n[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n";
}

/// Empty when it is not there.
QByteArray contentOf(const QString &file)
{
    QFile reader(file);
    return reader.open(QIODevice::ReadOnly) ? reader.readAll() : QByteArray();
}

/// Empty when it is neither installed nor unpacked.
QString tool(const QString &package, const QString &name)
{
    const QString installed = QStandardPaths::findExecutable(name);
    const QString unpacked = QStringLiteral("%1/build/%2/usr/bin").arg(sources, package);
    return installed.isEmpty() ? QStandardPaths::findExecutable(name, {unpacked}) : installed;
}

QString promtool()
{
    return tool(QStringLiteral("prometheus"), QStringLiteral("promtool"));
}

struct Outcome
{
    int status = -1;
    QByteArray said; ///< on both outputs
};

Outcome run(const Command &command, const QByteArray &input = {})
{
    ChildProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    if (!process.run(command))
        return {-1, process.errorString().toUtf8()};
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForEnd())
        return {-1, "still running"};
    return {process.exitCode(), process.readAll()};
}

QStringList queriesOf(const QJsonObject &dashboard)
{
    QStringList queries;
    for (const QJsonValue panel : dashboard[u"panels"].toArray()) {
        for (const QJsonValue target : panel[u"targets"].toArray())
            queries += target[u"expr"].toString();
    }
    return queries;
}

/// What Grafana makes of its variables.
QString filledIn(QString query)
{
    return query.replace(QStringLiteral("$__rate_interval"), QStringLiteral("5m"))
        .replace(QRegularExpression(QStringLiteral("\\$(instance|config)")), QStringLiteral(".*"));
}

} // namespace

class TestMonitoring : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void theFileFollowsTheDaemon();
    void aReloadMovesItAndSwitchesItOff();
    void aDaemonThatIsStoppedLeavesNoneAndOneThatIsKilledDoes();
    void aFolderThatIsMissingIsWarnedAbout();
    void promtoolFindsNothingToImprove();
    void nodeExporterReadsTheFilesOfSeveralDaemons();
    void theRulesAreValidAndEachTroubleRaisesItsOwn();
    void theQueriesOfTheDashboardAreValid();
    void whatIsAskedForIsThere_data();
    void whatIsAskedForIsThere();

private:
    [[nodiscard]] QString path(const QString &name = QStringLiteral("dtlsd.prom")) const
    {
        return m_folder->filePath(name);
    }
    /// What a daemon writes that has been talked to; empty when there is none.
    QByteArray realText();

    std::unique_ptr<QTemporaryDir> m_folder;
};

QByteArray TestMonitoring::realText()
{
    DaemonProcess daemon(config(path()));
    HonestFleet fleet(3, {.identity = "dev", .key = PskKey(QByteArray(16, 'A')), .ciphers = {}});
    if (!daemon.start() || !fleet.start(daemon.addresses().constFirst()) || !fleet.settle())
        return {};
    daemon.process().sendSignal(SIGHUP); // and write it now
    if (!daemon.waitForEvent(QStringLiteral("reloaded")))
        return {};
    const QByteArray reloaded = R"(dtlsd_reloads_total{config="dtlsd",outcome="applied"} 1)";
    const QRegularExpression received(
        QStringLiteral("\ndtlsd_received_datagrams_total{config=\"dtlsd\"} (\\d+)"));
    QByteArray text;
    const auto isThere = [&] { // on a busy machine a device has sent some messages twice
        text = contentOf(path());
        const int number = received.match(QString::fromUtf8(text)).captured(1).toInt();
        return text.contains(reloaded) && number >= fleet.asked();
    };
    return waitUntil(isThere, QDeadlineTimer(patience)) ? text : QByteArray();
}

void TestMonitoring::theFileFollowsTheDaemon()
{
    const QByteArray text = realText();
    for (const auto *line :
         {R"(dtlsd_sessions{config="dtlsd",state="established"} 3)",
          R"(dtlsd_handshakes_total{config="dtlsd",outcome="completed",reason=""} 3)",
          R"(dtlsd_receipts_total{config="dtlsd",outcome="withheld"} 0)",
          R"(dtlsd_reloads_total{config="dtlsd",outcome="applied"} 1)",
          R"(dtlsd_identities{config="dtlsd"} 1)"})
        QVERIFY2(text.contains('\n' + QByteArray(line) + '\n'), text.constData());
    const QRegularExpression memory(QStringLiteral("\ndtlsd_resident_memory_bytes{.*} [1-9]"));
    QVERIFY(QString::fromUtf8(text).contains(memory));
}

void TestMonitoring::aReloadMovesItAndSwitchesItOff()
{
    DaemonProcess daemon(config({}));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    auto reload = [&daemon, reloads = 0](const QString &metricsFile) mutable {
        daemon.setConfig(config(metricsFile));
        daemon.process().sendSignal(SIGHUP);
        ++reloads;
        return waitUntil(
            [&] { return daemon.events(QStringLiteral("reloaded")).size() == reloads; },
            QDeadlineTimer(patience));
    };
    const QString other = path(QStringLiteral("other.prom"));
    QVERIFY(!QFile::exists(path()));
    QVERIFY(reload(path()));
    QTRY_VERIFY(QFile::exists(path()));
    QVERIFY(reload(other));
    QTRY_VERIFY(QFile::exists(other) && !QFile::exists(path()));
    QVERIFY(reload({}));
    QTRY_VERIFY(!QFile::exists(other));
    QVERIFY(daemon.events(QStringLiteral("configuration-warning")).isEmpty());
}

void TestMonitoring::aDaemonThatIsStoppedLeavesNoneAndOneThatIsKilledDoes()
{
    {
        DaemonProcess daemon(config(path()));
        QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
        QTRY_VERIFY(QFile::exists(path()));
        daemon.process().kill();
        QVERIFY(!daemon.waitForExit()); // no status
        QVERIFY(QFile::exists(path()));
    }
    DaemonProcess daemon(config(path()));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QTRY_VERIFY(contentOf(path()).contains("dtlsd_build_info"));
    QCOMPARE(daemon.stop(), 0);
    QVERIFY(!QFile::exists(path()));
}

void TestMonitoring::aFolderThatIsMissingIsWarnedAbout()
{
    const QString missing = path(QStringLiteral("missing/dtlsd.prom"));
    DaemonProcess daemon(config(missing));
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const auto warning = daemon.waitForEvent(QStringLiteral("configuration-warning"));
    QVERIFY(warning);
    QCOMPARE(
        warning->value(QStringLiteral("message")).toString(),
        QStringLiteral("%1: [control] metrics_file: cannot write %2: No such file or directory")
            .arg(daemon.configFile(), missing));
}

void TestMonitoring::promtoolFindsNothingToImprove()
{
    if (promtool().isEmpty())
        QSKIP("needs promtool");
    const QByteArray text = realText();
    QVERIFY(!text.isEmpty());
    const Outcome outcome =
        run({promtool(), {QStringLiteral("check"), QStringLiteral("metrics")}}, text);
    QCOMPARE(outcome.said, QByteArray());
    QCOMPARE(outcome.status, 0);
}

void TestMonitoring::nodeExporterReadsTheFilesOfSeveralDaemons()
{
    const QString program = tool(QStringLiteral("prometheus-node-exporter"),
                                 QStringLiteral("prometheus-node-exporter"));
    if (program.isEmpty())
        QSKIP("needs prometheus-node-exporter");
    const QByteArray ours = realText();
    DaemonState plant2;
    plant2.configFile = QStringLiteral("/etc/dtlsd/plant2.ini");
    plant2.services = {{*SocketAddress::parse(QStringLiteral("[::1]:5684")), true}};
    const QByteArray others = metricsText(plant2);
    for (const auto &[name, text] : {std::pair{"run/dtlsd", ours}, {"run/dtlsd-plant2", others}}) {
        QVERIFY(QDir(m_folder->path()).mkpath(QString::fromLatin1(name)));
        QFile file(path(QString::fromLatin1(name) + QStringLiteral("/x.prom")));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text) > 0);
    }

    ChildProcess exporter;
    exporter.setProcessChannelMode(QProcess::MergedChannels);
    QVERIFY(exporter.run(
        {program,
         {QStringLiteral("--web.listen-address=127.0.0.1:0"),
          QStringLiteral("--collector.disable-defaults"), QStringLiteral("--collector.textfile"),
          QStringLiteral("--collector.textfile.directory=%1/run/dtlsd*").arg(m_folder->path())}}));
    QByteArray said;
    QRegularExpressionMatch address;
    const QRegularExpression listening(
        QStringLiteral("\"Listening on\" address=127\\.0\\.0\\.1:(\\d+)"));
    const auto isListening = [&] {
        said += exporter.readAll();
        address = listening.match(QString::fromUtf8(said));
        return address.hasMatch();
    };
    QVERIFY2(waitUntil(isListening, QDeadlineTimer(patience)), said.constData());

    QTcpSocket http;
    http.connectToHost(QStringLiteral("127.0.0.1"), address.captured(1).toUShort());
    http.write("GET /metrics HTTP/1.0\r\n\r\n");
    QVERIFY(waitUntil([&] { return http.state() == QAbstractSocket::UnconnectedState; },
                      QDeadlineTimer(patience)));
    const QList<QByteArray> scraped = http.readAll().split('\n');
    QVERIFY(scraped.contains("node_textfile_scrape_error 0"));
    for (const QByteArray &line : (ours + others).split('\n')) {
        if (line.startsWith("# TYPE"))
            QVERIFY2(scraped.contains(line), line.constData());
    }
    const auto samples = [](const QList<QByteArray> &lines) {
        return std::count_if(lines.begin(), lines.end(),
                             [](const QByteArray &line) { return line.startsWith("dtlsd_"); });
    };
    QCOMPARE(samples(scraped), samples((ours + others).split('\n')));
}

void TestMonitoring::theRulesAreValidAndEachTroubleRaisesItsOwn()
{
    if (promtool().isEmpty())
        QSKIP("needs promtool");
    const QString test = sources + QStringLiteral("/tests/integration/dtlsd.rules.test.yml");
    const QString rules = QStringLiteral("rules");
    const Outcome checked = run({promtool(), {QStringLiteral("check"), rules, rulesFile}});
    QVERIFY2(checked.status == 0, checked.said.constData());
    const Outcome tested = run({promtool(), {QStringLiteral("test"), rules, test}});
    QVERIFY2(tested.status == 0, tested.said.constData());

    const QRegularExpression alert(QStringLiteral("- alert: (\\w+)"));
    const QByteArray tests = contentOf(test);
    for (const auto &match : alert.globalMatch(QString::fromUtf8(contentOf(rulesFile)))) {
        const QByteArray fires =
            "alertname=\"" + match.captured(1).toUtf8() + "\",alertstate=\"firing\"";
        QVERIFY2(tests.contains(fires), fires.constData());
    }
}

void TestMonitoring::theQueriesOfTheDashboardAreValid()
{
    if (promtool().isEmpty())
        QSKIP("needs promtool");
    // As rules, which promtool can check; they may be JSON.
    QJsonArray rules;
    for (const QString &query :
         queriesOf(QJsonDocument::fromJson(contentOf(dashboardFile)).object()))
        rules += QJsonObject{{QStringLiteral("record"), QStringLiteral("q%1").arg(rules.size())},
                             {QStringLiteral("expr"), filledIn(query)}};
    QVERIFY(rules.size() > 10);
    const QJsonObject group{{QStringLiteral("name"), QStringLiteral("dashboard")},
                            {QStringLiteral("rules"), rules}};
    const QJsonObject groups{{QStringLiteral("groups"), QJsonArray{group}}};
    QFile file(path(QStringLiteral("rules.yml")));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(QJsonDocument(groups).toJson()) > 0);
    file.close();
    const Outcome outcome =
        run({promtool(), {QStringLiteral("check"), QStringLiteral("rules"), file.fileName()}});
    QVERIFY2(outcome.status == 0, outcome.said.constData());
}

void TestMonitoring::whatIsAskedForIsThere_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("by the rules") << QString::fromUtf8(contentOf(rulesFile));
    const QJsonObject dashboard = QJsonDocument::fromJson(contentOf(dashboardFile)).object();
    QTest::newRow("by the panels of the dashboard") << queriesOf(dashboard).join(u'\n');
    QStringList variables;
    for (const QJsonValue variable : dashboard[u"templating"][u"list"].toArray())
        variables += variable[u"definition"].toString();
    QTest::newRow("by the variables of the dashboard") << variables.join(u'\n');
}

void TestMonitoring::whatIsAskedForIsThere()
{
    QFETCH(QString, text);
    DaemonState state;
    state.workers.resize(1);
    state.services.resize(1);
    const QString samples = QString::fromUtf8(metricsText(state));
    const QRegularExpression selector(QStringLiteral("\\b(dtlsd_\\w+)(?:\\{([^}]*)\\})?"));
    const QRegularExpression matcher(QStringLiteral("(\\w+)(!?=~?)(\"[^\"]*\")"));
    int selectors = 0;
    for (const auto &asked : selector.globalMatch(text)) {
        ++selectors;
        const QString start = QStringLiteral("\n%1{").arg(asked.captured(1));
        QVERIFY2(samples.contains(start), qPrintable(asked.captured()));
        for (const auto &label : matcher.globalMatch(asked.captured(2))) {
            const QString name = label.captured(1);
            const QString value = label.captured(2) == u"=" ? label.captured(3) : QString();
            const QRegularExpression sample(
                QStringLiteral("%1.*\\b%2=%3").arg(QRegularExpression::escape(start), name, value));
            QVERIFY2(name == u"instance" || samples.contains(sample), // node_exporter's
                     qPrintable(asked.captured()));
        }
    }
    QVERIFY(selectors > 0);
}

DTLSD_TEST(TestMonitoring)
#include "tst_monitoring.moc"
