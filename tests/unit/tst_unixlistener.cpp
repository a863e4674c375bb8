// SPDX-License-Identifier: Apache-2.0
//
// Where a ControlServer listens, what it leaves alone there, and who is let in.
#include "control/UnixListener.h"
#include "core/Descriptor.h"
#include "support/ControlPeer.h"
#include "support/EchoingControl.h"
#include "support/TestProgram.h"

#include <QAbstractEventDispatcher>
#include <QDir>
#include <QFile>
#include <QLocalServer>
#include <QTemporaryDir>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

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

class TestUnixListener : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_path = m_folder->filePath(QStringLiteral("control.sock"));
    }

    void aConnectionThatCannotBeAcceptedWaits()
    {
        ControlServer server(echo, patient);
        QVERIFY(server.listen(m_path).ok());
        // UBSan needs a descriptor for its first look at a class, so that it looks at all of them.
        QAbstractEventDispatcher *const dispatcher = QAbstractEventDispatcher::instance();
        dispatcher->processEvents({});
        ControlPeer before(m_path);
        QVERIFY(before.send("health\n"));
        QCOMPARE(before.readAll(), QByteArray("you said health\n"));
        ControlPeer first(m_path);
        ControlPeer waiting(m_path);
        QVERIFY(waiting.send("status\n"));
        {
            const NoDescriptors none;
            // The server has kept one descriptor for whoever asks what is wrong. With none left,
            // one that keeps trying has something to do each time it is asked.
            bool rests = false;
            for (int i = 0; i < 100; ++i)
                rests = !dispatcher->processEvents({}) || rests;
            QVERIFY(rests);
            QVERIFY(waiting.read().isEmpty());
            QVERIFY(S_ISSOCK(modeOf(m_path)));
            QVERIFY(first.send("health\n"));
            QCOMPARE(first.readAll(), QByteArray("you said health\n"));
        }
        QCOMPARE(waiting.readAll(), QByteArray("you said status\n"));
        ControlPeer next(m_path);
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
        QVERIFY(!ControlPeer(m_path, {other, other, {}}).isConnected());
        ControlPeer member(m_path, {other, other, {other + 1, getegid()}});
        QVERIFY(member.send("status\n"));
        QCOMPARE(member.readAll(), QByteArray("you said status\n"));

        QCOMPARE(chmod(QFile::encodeName(m_path).constData(), 0666), 0);
        ControlPeer stranger(m_path, {other, other, {other + 1}});
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
        ControlPeer client(m_path);
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
        ControlPeer client(m_path);
        QVERIFY(client.send("status\n"));
        QCOMPARE(client.readAll(), QByteArray("you said status\n"));
    }

    void oneWhoseOwnerDoesNotAcceptIsLeftAlone()
    {
        QLocalServer busy; // accepts nobody while this test does not let it
        busy.setListenBacklogSize(0);
        QVERIFY(busy.listen(m_path));
        const ControlPeer waits(m_path);
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
    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_path;
};

DTLSD_TEST(TestUnixListener)
#include "tst_unixlistener.moc"
