// SPDX-License-Identifier: Apache-2.0
//
// What no other test would notice of a DaemonProcess, with a shell script in the daemon's place.
#include "support/DaemonProcess.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QTemporaryDir>

#include <csignal>

using namespace dtlsd::test;

class TestDaemonProcess : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aDaemonThatIgnoresSigtermHasNoExitStatus();
    void theEndOfTheObjectIsTheEndOfTheProcess();

private:
    QTemporaryDir m_directory;
};

void TestDaemonProcess::initTestCase()
{
    QFile file(m_directory.filePath(QStringLiteral("dtlsd")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\n"
               "trap '' TERM; echo '{\"event\":\"started\"}'; while :; do sleep 0.01; done");
    file.close();
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ExeOwner | QFile::WriteOwner));
    qputenv("DTLSD_BINARY", file.fileName().toLocal8Bit());
}

void TestDaemonProcess::aDaemonThatIgnoresSigtermHasNoExitStatus()
{
    DaemonProcess daemon("");
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QVERIFY(!daemon.stop(QDeadlineTimer(50)));
}

void TestDaemonProcess::theEndOfTheObjectIsTheEndOfTheProcess()
{
    pid_t id = 0;
    {
        DaemonProcess daemon("");
        QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
        id = static_cast<pid_t>(daemon.process().processId());
        QCOMPARE(::kill(id, 0), 0);
    }
    QCOMPARE(::kill(id, 0), -1);
}

DTLSD_TEST(TestDaemonProcess)
#include "tst_daemonprocess.moc"
