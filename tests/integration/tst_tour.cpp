// SPDX-License-Identifier: Apache-2.0
//
// The tour of README.md and packaging/docs/coap.md, typed as they are written, on a machine with
// dtlsd installed and a network of its own: each command prints what the document says.
#include "support/ChildProcess.h"
#include "support/TestProgram.h"

#include "InstalledMachine.h"
#include "Terminal.h"
#include "Walkthrough.h"

#include <QFile>
#include <QStandardPaths>

#include <csignal>
#include <memory>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QList<Step> stepsOf(const char *document, const char *heading)
{
    QFile file(QStringLiteral(DTLSD_SOURCE_DIR "/") + QString::fromLatin1(document));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return readWalkthrough(QString::fromUtf8(file.readAll()), QString::fromLatin1(heading));
}

QStringList shapesOf(QStringList lines)
{
    for (QString &line : lines)
        line = shapeOf(line);
    return lines;
}

} // namespace

class TestTour : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void theReadmeShowsWhatHappens();
    void coapTakesFiveMinutes();

private:
    void take(const Step &step);
    void startServer(const QString &command);
    void stopServer();
    void readServer(const QStringList &lines);
    void readJournal(const Step &step);

    InstalledMachine m_machine;
    std::unique_ptr<Terminal> m_terminal;
    std::unique_ptr<ChildProcess> m_server; // dtlsd, in a terminal of its own
    QByteArray m_log;                       // of it, not compared yet
};

void TestTour::initTestCase()
{
    QString why;
    if (!InstalledMachine::isAvailable(&why))
        QSKIP(qPrintable(why));
    if (QStandardPaths::findExecutable(QStringLiteral("coap-server-notls")).isEmpty())
        QSKIP("libcoap's server is not installed");
    QVERIFY2(m_machine.start(), qPrintable(m_machine.errorText()));
}

void TestTour::cleanup()
{
    stopServer();
    m_terminal.reset();
}

void TestTour::take(const Step &step)
{
    if (step.program() == u"dtlsd") {
        startServer(step.command + QStringLiteral(" --log-target text"));
        readServer(step.output);
    } else if (step.command.isEmpty()) {
        readServer(step.output);
    } else if (step.program() == u"systemctl") {
        startServer(QStringLiteral("dtlsd --log-target journal"));
    } else if (step.program() == u"journalctl") {
        readJournal(step);
    } else {
        QVERIFY2(m_terminal->type(step.command) || step.output.size() == 1,
                 qPrintable(step.command));
        const QStringList lines = m_terminal->lines(step.output.size());
        QVERIFY2(shapesOf(lines) == shapesOf(step.output), qPrintable(lines.join(u'\n')));
    }
}

void TestTour::startServer(const QString &command)
{
    stopServer();
    m_server = std::make_unique<ChildProcess>();
    QVERIFY(m_server->run(m_machine.shell(
        QStringLiteral("mkdir -p /run/dtlsd; RUNTIME_DIRECTORY=/run/dtlsd exec ") + command)));
    const auto isUp = [this] {
        return m_machine.run(QStringLiteral("dtlsctl health")).has_value();
    };
    QVERIFY2(waitUntil(isUp, QDeadlineTimer(patience)), m_server->readAllStandardError());
}

/// Ctrl-C
void TestTour::stopServer()
{
    if (!m_server)
        return;
    m_server->sendSignal(SIGINT);
    QVERIFY(m_server->waitForEnd());
    QCOMPARE(m_server->exitCode(), 0);
    m_server.reset();
    m_log.clear();
}

/// The next lines of its log, after others perhaps.
void TestTour::readServer(const QStringList &lines)
{
    for (const QString &expected : lines) {
        const auto isSaid = [&] {
            m_log += m_server->readAllStandardOutput();
            for (qsizetype end = m_log.indexOf('\n'); end >= 0; end = m_log.indexOf('\n')) {
                const QString line = QString::fromUtf8(m_log.first(end));
                m_log.remove(0, end + 1);
                if (shapeOf(line) == shapeOf(expected))
                    return true;
            }
            return false;
        };
        QVERIFY2(waitUntil(isSaid, QDeadlineTimer(2 * patience)), qPrintable(expected));
    }
}

/// Its last entries come a moment after what they are about.
void TestTour::readJournal(const Step &step)
{
    QStringList lines;
    const auto isComplete = [&] {
        lines = QString::fromUtf8(m_machine.run(step.command).value_or(QByteArray()))
                    .split(u'\n', Qt::SkipEmptyParts);
        return lines.size() >= step.output.size();
    };
    waitUntil(isComplete, QDeadlineTimer(patience));
    QVERIFY2(shapesOf(lines) == shapesOf(step.output), qPrintable(lines.join(u'\n')));
}

void TestTour::theReadmeShowsWhatHappens()
{
    m_terminal = std::make_unique<Terminal>(m_machine);
    const QList<Step> steps = stepsOf("README.md", "## A tour of three minutes");
    QVERIFY(steps.size() > 5);
    for (const Step &step : steps) {
        take(step);
        if (QTest::currentTestFailed())
            return;
    }
}

void TestTour::coapTakesFiveMinutes()
{
    m_terminal = std::make_unique<Terminal>(m_machine);
    const QList<Step> steps = stepsOf("packaging/docs/coap.md", "# CoAP in five minutes");
    QVERIFY(steps.size() > 5);
    for (const Step &step : steps) {
        take(step);
        if (QTest::currentTestFailed())
            return;
    }
}

QTEST_GUILESS_MAIN(TestTour)

#include "tst_tour.moc"
