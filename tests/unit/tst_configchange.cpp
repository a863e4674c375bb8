// SPDX-License-Identifier: Apache-2.0
//
// What a reload says has changed, and what it leaves for a restart.
#include "config/ConfigChange.h"
#include "config/ConfigSchema.h"
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"

#include <QFile>
#include <QRegularExpression>

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

const QByteArray one = "[identity a]\nkey = text:AAAAAAAAAAAAAAAA\n";
const QByteArray two = "[identity b]\nkey = text:BBBBBBBBBBBBBBBB\n";
const QByteArray any = "[identity *]\nkey = text:AAAAAAAAAAAAAAAA\n";

Config configOf(const QByteArray &ini)
{
    const ConfigFolder folder;
    ConfigResult result = folder.load("[psk]\nfile =\n" + ini);
    if (!result.errors.isEmpty())
        qFatal("%s", qPrintable(result.errors.constFirst().toString()));
    return std::move(result.config);
}

} // namespace

class TestConfigChange : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatChangedIsNamed_data();
    void whatChangedIsNamed();
    void manyNamesAreBounded();
    void noKeyIsEverShown();
    void whatNeedsARestartStaysAsItWas();
    void whatNeedsARestartIsDocumented_data();
    void whatNeedsARestartIsDocumented();
    void anotherSecretInTheSameFileIsNoticed();
};

void TestConfigChange::whatChangedIsNamed_data()
{
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("after");
    QTest::addColumn<QString>("change");
    const auto row = [](const char *name, const QByteArray &before, const QByteArray &after,
                        const char *change) {
        QTest::newRow(name) << before << after << QString::fromUtf8(change);
    };
    row("nothing", one, one, "nothing changed");
    row("other words for the same", "[limits]\nidle_timeout = 60s\n" + one,
        "; a comment\n[limits]\nidle_timeout = 1min\n" + one, "nothing changed");
    row("a default that is written out", one, "[server]\nreply = ack\n" + one, "nothing changed");
    row("the order of identities", one + two, two + one, "nothing changed");
    row("an identity comes", one, one + two, "1 identity added (b)");
    row("an identity goes", one + two, one, "1 identity removed (b)");
    row("one goes, one comes", one, two, "1 identity added (b), 1 removed (a)");
    row("a key", one, "[identity a]\nkey = text:BBBBBBBBBBBBBBBB\n", "1 identity changed (a)");
    row("a next key", one, one + "next_key = text:BBBBBBBBBBBBBBBB\n", "1 identity changed (a)");
    row("its networks", one, one + "allow_from = 10.0.0.0/8\n", "1 identity changed (a)");
    row("its reply", one, one + "reply = echo\n", "1 identity changed (a)");
    row("the wildcard comes", one, one + any, "1 identity added (*)");
    row("the empty identity comes", one, one + "[identity \"\"]\nkey = text:AAAAAAAAAAAAAAAA\n",
        "1 identity added (\"\")");
    row("the wildcard goes", one + any, one, "1 identity removed (*)");
    row("the wildcard's key", one + any, one + "[identity *]\nkey = text:CCCCCCCCCCCCCCCC\n",
        "1 identity changed (*)");
    row("a name that would forge a line", one,
        one + "[identity \xe2\x80\xae]\nkey = text:AAAAAAAAAAAAAAAA\n",
        "1 identity added (\\xe2\\x80\\xae)");
    row("settings", one,
        "[tls]\nmtu = 1000\n[limits]\nidle_timeout = 5s\n[log]\npayload = hex\nciphertext = yes\n" +
            one,
        "[tls] mtu, [limits] idle_timeout, [log] payload, [log] ciphertext changed");
    row("connection IDs", one,
        "[server]\nnode = 1\n[tls]\nconnection_ids = no\n[limits]\nidle_timeout_with_id = 1h\n" +
            one,
        "[server] node, [tls] connection_ids, [limits] idle_timeout_with_id changed");
    row("both", one, "[server]\nlisten = 127.0.0.1:1, 127.0.0.1:2\n" + one + two,
        "1 identity added (b); [server] listen changed");
}

void TestConfigChange::whatChangedIsNamed()
{
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, after);
    QFETCH(QString, change);
    QCOMPARE(ConfigChange::between(configOf(before), configOf(after)).toString(), change);
}

void TestConfigChange::manyNamesAreBounded()
{
    ConfigChange change;
    for (int i = 0; i < 100'000; ++i)
        change.addedIdentities += QByteArray(255, static_cast<char>('a' + i % 26));
    change.removedIdentities += "one";
    const QString text = change.toString();
    QVERIFY(text.startsWith(QStringLiteral("100000 identities added (aaaa")));
    QVERIFY(text.endsWith(QStringLiteral("… and 99992 more), 1 removed (one)")));
    QVERIFY(text.size() < 1000);
}

void TestConfigChange::noKeyIsEverShown()
{
    const QString text = ConfigChange::between(
                             configOf(one), configOf("[identity a]\nkey = text:SECRETSECRETSECRET\n"
                                                     "next_key = text:OTHEROTHEROTHEROTHER\n"))
                             .toString();
    QCOMPARE(text, QStringLiteral("1 identity changed (a)"));
}

void TestConfigChange::whatNeedsARestartStaysAsItWas()
{
    const Config before = configOf(one);
    Config after = configOf(
        "[server]\nworkers = 7\nreceive_buffer = 1M\nkeep_sessions = no\n[log]\ntarget = json\n"
        "queue = 5\nlevel = debug\n[tls]\nmtu = 1000\nconnection_ids = no\n" +
        one);
    after.cookies = {QStringLiteral("/cookie.key"), PskKey(QByteArray(32, 'c'))};
    QCOMPARE(keepUntilRestart(before, after),
             (QStringList{
                 QStringLiteral("[server] workers"), QStringLiteral("[server] receive_buffer"),
                 QStringLiteral("[server] cookie_secret"), QStringLiteral("[server] keep_sessions"),
                 QStringLiteral("[log] target"), QStringLiteral("[log] queue")}));
    QCOMPARE(after.server.workers, before.server.workers);
    QCOMPARE(after.server.receiveBuffer, before.server.receiveBuffer);
    QCOMPARE(after.cookies, before.cookies);
    QCOMPARE(after.server.keepSessions, before.server.keepSessions);
    QCOMPARE(after.log.target, before.log.target);
    QCOMPARE(after.log.queue, before.log.queue);
    QCOMPARE(after.log.level, Priority::Debug);
    QCOMPARE(ConfigChange::between(before, after).toString(),
             QStringLiteral("[tls] connection_ids, [tls] mtu, [log] level changed"));
    QCOMPARE(keepUntilRestart(before, after), QStringList());
}

void TestConfigChange::whatNeedsARestartIsDocumented_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("list"); // finds it
    QTest::newRow("dtlsd.ini(5)") << u"/packaging/man/dtlsd.ini.5"_s
                                  << u"without a restart, except of\n(.*?) \\.\n"_s;
    QTest::newRow("dtlsd.ini") << u"/config/dtlsd.ini"_s
                               << u"puts it in force, except (.*?), which need a restart"_s;
}

void TestConfigChange::whatNeedsARestartIsDocumented()
{
    QFETCH(QString, file);
    QFETCH(QString, list);
    QFile page(QStringLiteral(DTLSD_SOURCE_DIR) + file);
    QVERIFY(page.open(QIODevice::ReadOnly));
    const QRegularExpression pattern(list, QRegularExpression::DotMatchesEverythingOption);
    static const QRegularExpression noKey(u"[\\s,;]+|\\.Ic|\\band\\b|\\bthe\\b|\\bcontrol\\b"_s);
    const auto match = pattern.match(QString::fromUtf8(page.readAll()));
    QVERIFY(match.hasMatch());
    QStringList expected;
    for (const auto &key : configKeys()) {
        if (key.needsRestart)
            expected += key.name;
    }
    QCOMPARE(match.captured(1).split(noKey, Qt::SkipEmptyParts), expected);
}

void TestConfigChange::anotherSecretInTheSameFileIsNoticed()
{
    Config before = configOf(one);
    before.cookies = {QStringLiteral("/cookie.key"), PskKey(QByteArray(32, 'c'))};
    Config after = before;
    after.cookies.secret = PskKey(QByteArray(32, 'd'));
    QCOMPARE(ConfigChange::between(before, after).toString(),
             QStringLiteral("[server] cookie_secret changed"));
    QCOMPARE(keepUntilRestart(before, after),
             QStringList{QStringLiteral("[server] cookie_secret")});
    QCOMPARE(after.cookies, before.cookies);
}

DTLSD_TEST(TestConfigChange)
#include "tst_configchange.moc"
