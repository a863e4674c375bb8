// SPDX-License-Identifier: Apache-2.0
//
// Who may be able to change a file with keys, or put another in its place.
#include "config/FileTrust.h"
#include "config/RegularFile.h"
#include "support/ClusterVolume.h"
#include "support/ConfigFolder.h"
#include "support/KeyFolder.h"
#include "support/TestProgram.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

namespace {

const TrustedUsers service{{900}, {900, 901}};
constexpr uid_t stranger = 12345;
constexpr mode_t file = S_IFREG;
constexpr mode_t directory = S_IFDIR;

const QByteArray inlineKey = "[psk]\nfile =\n[identity a]\nkey = hex:" + hexKey + '\n';
const QByteArray keyFile = "[psk]\nfile =\n[identity a]\nkey = file:keys/a.key\n";
const QByteArray pskFile = "[psk]\nfile = keys/psk.txt\n";
const QByteArray cookieFile = "[server]\ncookie_secret = file:keys/cookie.key\n[psk]\nfile =\n"
                              "[identity a]\nkey = hex:" +
                              hexKey + '\n';

} // namespace

class TestFileTrust : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void whoCanChangeAFile_data();
    void whoCanChangeAFile();
    void eachFileWithKeysIsJudged_data();
    void eachFileWithKeysIsJudged();
    void aDirectoryIsThatOfTheFileItself();
    void anOwnerWhoIsNotExpectedIsWarnedAbout();
    void aClusterVolumeIsTrusted();
    void aReadOnlyMountIsTrusted();
    void aSecretThatAnEngineMountedGetsItsAdvice_data();
    void aSecretThatAnEngineMountedGetsItsAdvice();

private:
    void write(const QString &name, const QByteArray &content, unsigned mode = 0640)
    {
        QVERIFY(!m_folder->write(name, content, mode).isEmpty());
    }
    void setMode(const QString &name, mode_t mode)
    {
        QCOMPARE(::chmod(QFile::encodeName(m_folder->path(name)).constData(), mode), 0);
    }
    void setOwner(const QString &name, uid_t user, gid_t group)
    {
        QCOMPARE(::chown(QFile::encodeName(m_folder->path(name)).constData(), user, group), 0);
    }

    std::unique_ptr<ConfigFolder> m_folder;
};

void TestFileTrust::init()
{
    m_folder = std::make_unique<ConfigFolder>();
    QVERIFY(QDir(m_folder->path(u"."_s)).mkdir(u"keys"_s));
    setMode(u"keys"_s, 0750);
    write(u"keys/a.key"_s, hexKey);
    write(u"keys/psk.txt"_s, "a:" + hexKey + '\n');
    write(u"keys/cookie.key"_s, hexKey + hexKey);
}

void TestFileTrust::whoCanChangeAFile_data()
{
    QTest::addColumn<FileStatus>("status");
    QTest::addColumn<QString>("error");
    QTest::addColumn<bool>("isWarned");
    const auto row = [](const char *name, const FileStatus &status, const QString &error = {},
                        bool isWarned = false) {
        QTest::newRow(name) << status << error << isWarned;
    };
    row("a file of root's that the group reads", {file | 0640, 0, 900, false});
    row("a file of our own", {file | 0600, 900, 900, false});
    row("changed by our group", {file | 0660, 0, 900, false});
    row("changed by a further group of ours", {file | 0660, 0, 901, false});
    row("changed by root's group, which is not ours", {file | 0660, 0, 0, false},
        u"group 0, which is none of dtlsd's, can change it (mode 0660); chmod 0640 /k mends that"_s);
    row("changed by others", {file | 0602, 0, 900, false},
        u"others can change it (mode 0602); chmod 0640 /k mends that"_s);
    row("changed by others, in a set-group-id file", {file | 02662, 0, 900, false},
        u"others can change it (mode 2662); chmod 0640 /k mends that"_s);
    row("sticky means nothing on a file", {file | 01666, 0, 900, false},
        u"others can change it (mode 1666); chmod 0640 /k mends that"_s);
    row("changed by others, but not through this mount", {file | 0666, 0, 0, true});
    row("a file of somebody else", {file | 0640, stranger, 900, false}, {}, true);
    row("the same, which this mount keeps from changing", {file | 0640, stranger, 900, true});

    row("a directory for its owner", {directory | 0700, 900, 900, false});
    row("a directory of our group", {directory | 02775, 0, 901, false});
    row("a directory of another group", {directory | 0770, 0, 50, false},
        u"group 50, which is none of dtlsd's, can put another in its place (mode 0770 of /k); "
        "chmod g-w /k mends that"_s);
    row("a directory for everybody", {directory | 0777, 0, 0, false},
        u"others can put another in its place (mode 0777 of /k); chmod o-w /k mends that"_s);
    row("a sticky one", {directory | 01777, 0, 0, false});
    row("a sticky one of another group", {directory | 01770, 0, 50, false});
    row("one on a read-only mount", {directory | 0777, 0, 0, true});
    row("a directory of somebody else", {directory | 0755, stranger, 0, false}, {}, true);
}

void TestFileTrust::whoCanChangeAFile()
{
    QFETCH(FileStatus, status);
    QFETCH(QString, error);
    QFETCH(bool, isWarned);
    const FileTrust trust = FileTrust::judge(status, u"/k"_s, service);
    QCOMPARE(trust.error, error);
    QCOMPARE(!trust.warning.isEmpty(), isWarned);
    if (isWarned)
        QVERIFY2(trust.warning.contains(u"belongs to user 12345"_s) &&
                     trust.warning.contains(u"root or user 900"_s),
                 qPrintable(trust.warning));
}

void TestFileTrust::eachFileWithKeysIsJudged_data()
{
    QTest::addColumn<QByteArray>("ini");
    QTest::addColumn<QString>("exposed"); // to be changed by others
    QTest::addColumn<QString>("error");
    const auto row = [](const char *name, const QByteArray &ini, const QString &exposed,
                        const QString &error) { QTest::newRow(name) << ini << exposed << error; };
    const QString changed = u"others can change it (mode 0642); chmod 0640 DIR/%1 mends that"_s;
    const QString replaced = u"others can put another in its place (mode 0757 of DIR/keys); chmod "
                             "o-w DIR/keys mends that"_s;
    row("a key file", keyFile, u"keys/a.key"_s,
        u"DIR/dtlsd.ini:4: [identity a] key: DIR/keys/a.key: "_s + changed.arg(u"keys/a.key"_s));
    row("the directory of a key file", keyFile, u"keys"_s,
        u"DIR/dtlsd.ini:4: [identity a] key: DIR/keys/a.key: "_s + replaced);
    row("the next key", QByteArray(inlineKey) + "next_key = file:keys/a.key\n", u"keys/a.key"_s,
        u"DIR/dtlsd.ini:5: [identity a] next_key: DIR/keys/a.key: "_s +
            changed.arg(u"keys/a.key"_s));
    row("the file of many", pskFile, u"keys/psk.txt"_s,
        u"DIR/dtlsd.ini:2: [psk] file: DIR/keys/psk.txt: "_s + changed.arg(u"keys/psk.txt"_s));
    row("its directory", pskFile, u"keys"_s,
        u"DIR/dtlsd.ini:2: [psk] file: DIR/keys/psk.txt: "_s + replaced);
    row("the secret of cookies", cookieFile, u"keys/cookie.key"_s,
        u"DIR/dtlsd.ini:2: [server] cookie_secret: DIR/keys/cookie.key: "_s +
            changed.arg(u"keys/cookie.key"_s));
    row("its directory, too", cookieFile, u"keys"_s,
        u"DIR/dtlsd.ini:2: [server] cookie_secret: DIR/keys/cookie.key: "_s + replaced);
}

void TestFileTrust::eachFileWithKeysIsJudged()
{
    QFETCH(QByteArray, ini);
    QFETCH(QString, exposed);
    QFETCH(QString, error);
    QCOMPARE(m_folder->texts(m_folder->load(ini).errors), QStringList());
    setMode(exposed, exposed == u"keys" ? 0757 : 0642);
    QCOMPARE(m_folder->texts(m_folder->load(ini).errors), QStringList{error});
    if (exposed == u"keys") {
        setMode(exposed, 01757);
        QCOMPARE(m_folder->texts(m_folder->load(ini).errors), QStringList());
    }
}

/// Not of the links that lead to it, nor of those that lead to its directory.
void TestFileTrust::aDirectoryIsThatOfTheFileItself()
{
    QDir here(m_folder->path(u"."_s));
    QVERIFY(here.mkdir(u"open"_s));
    QVERIFY(QFile::link(m_folder->path(u"keys/a.key"_s), m_folder->path(u"open/a.key"_s)));
    QVERIFY(QFile::link(m_folder->path(u"keys"_s), m_folder->path(u"open/keys"_s)));
    setMode(u"open"_s, 0777);
    for (const char *path : {"open/a.key", "open/keys/a.key"}) {
        const QByteArray ini = QByteArray(keyFile).replace("keys/a.key", path);
        setMode(u"keys"_s, 0750);
        QCOMPARE(m_folder->texts(m_folder->load(ini).errors), QStringList());
        setMode(u"keys"_s, 0752);
        const QStringList errors = m_folder->texts(m_folder->load(ini).errors);
        QCOMPARE(errors.size(), 1);
        QVERIFY2(errors[0].contains(u"(mode 0752 of DIR/keys)"_s), qPrintable(errors[0]));
    }
}

void TestFileTrust::anOwnerWhoIsNotExpectedIsWarnedAbout()
{
    if (geteuid() != 0)
        QSKIP("giving files away takes root");
    setOwner(u"keys/a.key"_s, stranger, 0);
    const ConfigResult given = m_folder->load(keyFile);
    QCOMPARE(m_folder->texts(given.errors), QStringList());
    QCOMPARE(m_folder->texts(given.warnings),
             QStringList{u"DIR/dtlsd.ini: DIR/keys/a.key: the file belongs to user 12345, who can "
                         "change that; root or user 0, which runs dtlsd, is expected"_s});
    setOwner(u"keys/a.key"_s, 0, 0);
    setOwner(u"keys"_s, stranger, 0);
    QCOMPARE(m_folder->texts(m_folder->load(keyFile).warnings),
             QStringList{u"DIR/dtlsd.ini: DIR/keys/a.key: its directory DIR/keys belongs to user "
                         "12345, who can change that; root or user 0, which runs dtlsd, is "
                         "expected"_s});
    const QString ini = m_folder->write(u"dtlsd.ini"_s, inlineKey);
    setOwner(u"dtlsd.ini"_s, stranger, 0);
    QCOMPARE(m_folder->texts(loadConfig(ini).warnings),
             QStringList{u"DIR/dtlsd.ini: the file belongs to user 12345, who can change that; "
                         "root or user 0, which runs dtlsd, is expected"_s});
}

/// As kubelet makes it for fsGroup: a sticky volume that everybody may write to, and in it a
/// directory of the group's.
void TestFileTrust::aClusterVolumeIsTrusted()
{
    ClusterVolume volume;
    QVERIFY(volume.update({{u"psk.txt"_s, "a:" + hexKey + '\n'}}));
    QCOMPARE(::chmod(QFile::encodeName(volume.path(u"."_s)).constData(), 03777), 0);
    QCOMPARE(::chmod(QFile::encodeName(volume.path(u"..data/."_s)).constData(), 02775), 0);
    const QByteArray ini = "[psk]\nfile = " + volume.path(u"psk.txt"_s).toUtf8() + '\n';
    const ConfigResult result = m_folder->load(ini);
    QCOMPARE(m_folder->texts(result.errors), QStringList());
    QCOMPARE(m_folder->texts(result.warnings), QStringList());
    QCOMPARE(::chmod(QFile::encodeName(volume.path(u"..data/."_s)).constData(), 02777), 0);
    QCOMPARE(m_folder->load(ini).errors.size(), 1);
}

void TestFileTrust::aReadOnlyMountIsTrusted()
{
    if (geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0)
        QSKIP("mounting takes root");
    const QByteArray keys = QFile::encodeName(m_folder->path(u"keys"_s));
    setMode(u"keys"_s, 0777);
    setMode(u"keys/a.key"_s, 0662);
    QCOMPARE(m_folder->load(keyFile).errors.size(), 1);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(keys.constData(), keys.constData(), nullptr, MS_BIND, nullptr) != 0)
        QSKIP("this machine lets nobody mount");
    QCOMPARE(::mount("none", keys.constData(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
             0);
    QCOMPARE(m_folder->texts(m_folder->load(keyFile).errors), QStringList());
    QCOMPARE(::umount(keys.constData()), 0);

    // Reading is another matter, and chmod of no use.
    setMode(u"keys/a.key"_s, 0444);
    QCOMPARE(::mount(keys.constData(), keys.constData(), nullptr, MS_BIND, nullptr), 0);
    QCOMPARE(::mount("none", keys.constData(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
             0);
    const QStringList errors = m_folder->texts(m_folder->load(keyFile).errors);
    QCOMPARE(::umount(keys.constData()), 0);
    QCOMPARE(errors.size(), 1);
    QVERIFY2(errors[0].contains(u"others can read it (mode 0444), a mode that the mount sets"_s),
             qPrintable(errors[0]));
}

void TestFileTrust::aSecretThatAnEngineMountedGetsItsAdvice_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<bool>("isOnReadOnlyMount");
    QTest::addColumn<bool>("isMounted");
    QTest::newRow("a file of this machine") << u"/etc/dtlsd/psk.txt"_s << false << false;
    QTest::newRow("a secret of compose or podman") << u"/run/secrets/psk.txt"_s << false << true;
    QTest::newRow("a volume of Kubernetes") << u"/etc/dtlsd/psk.txt"_s << true << true;
}

void TestFileTrust::aSecretThatAnEngineMountedGetsItsAdvice()
{
    QFETCH(QString, path);
    QFETCH(bool, isOnReadOnlyMount);
    QFETCH(bool, isMounted);
    const QString text = readableByOthers(path, 0444, isOnReadOnlyMount);
    QVERIFY(text.startsWith(u"others can read it (mode 0444)"_s));
    QCOMPARE(text.contains(u"; chmod 0640 "_s + path + u" mends that"_s), !isMounted);
    QCOMPARE(text.contains(u"mode 0400 and user "_s + QString::number(geteuid())), isMounted);
    QCOMPARE(text.contains(u"uid and mode of the secret in podman and compose"_s), isMounted);
    QCOMPARE(text.contains(u"defaultMode: 0440 in Kubernetes"_s), isMounted);
}

DTLSD_TEST(TestFileTrust)
#include "tst_filetrust.moc"
