// SPDX-License-Identifier: Apache-2.0
//
// The command line of dtlsd: usage, --check and --show-config, and the exit status; and the TLS
// backend, which --version names as well.
#include "DtlsdRun.h"
#include "support/ControlPeer.h"
#include "support/DaemonProcess.h"
#include "support/ForbiddenFamily.h"
#include "support/TestProgram.h"

#include <QRegularExpression>

#include <sys/socket.h>
#include <unistd.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

/// An openssl.cnf(5) with that security level, as some distributions and administrators have.
QByteArray opensslConfig(int level)
{
    return "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n"
           "CipherString = DEFAULT:@SECLEVEL=" +
           QByteArray::number(level) + '\n';
}

} // namespace

class TestCommandLine : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wrongUsageIsRefused_data();
    void wrongUsageIsRefused();
    void helpAndVersionArePrinted();
    void aValidConfigurationIsCheckedAndShown();
    void whatTheMachineLacksIsNoErrorOfTheConfiguration();
    void withoutIPv6TheDefaultAddressesAreServed();
    void theSecurityLevelIsChecked_data();
    void theSecurityLevelIsChecked();
    void anOpenSslThatHasNoSuiteIsSaid();
    void aPresetSetsTheSecurityLevelThatItNeeds();
    void theTlsBackendInForceIsSaid_data();
    void theTlsBackendInForceIsSaid();
    void aBadConfigurationNeverStarts();
    void aMissingConfigurationSaysHowToGiveOne();
};

void TestCommandLine::wrongUsageIsRefused_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("problem");
    QTest::newRow("an unknown option")
        << QStringList{QStringLiteral("--nonsense")} << QStringLiteral("Unknown option 'nonsense'");
    QTest::newRow("an argument") << QStringList{QStringLiteral("dtlsd.ini")}
                                 << QStringLiteral("unexpected argument dtlsd.ini");
    QTest::newRow("a missing value") << QStringList{QStringLiteral("--config")}
                                     << QStringLiteral("Missing value after '--config'");
    QTest::newRow("an empty file")
        << QStringList{QStringLiteral("--config=")} << QStringLiteral("--config is empty");
    QTest::newRow("an unknown target")
        << QStringList{QStringLiteral("--log-target"), QStringLiteral("syslog")}
        << QStringLiteral("--log-target syslog is unknown; auto, journal, json or text");
    QTest::newRow("two actions") << QStringList{QStringLiteral("--check"),
                                                QStringLiteral("--show-config")}
                                 << QStringLiteral("exclude each other");
}

void TestCommandLine::wrongUsageIsRefused()
{
    QFETCH(QStringList, arguments);
    QFETCH(QString, problem);
    const Outcome outcome = runDtlsd(arguments);
    QCOMPARE(outcome.status, 64);
    QVERIFY2(outcome.errors.contains(problem), qPrintable(outcome.errors));
    QVERIFY(outcome.errors.endsWith(QStringLiteral("; see dtlsd --help\n")));
    QVERIFY(outcome.output.isEmpty());
}

void TestCommandLine::helpAndVersionArePrinted()
{
    const Outcome help = runDtlsd({QStringLiteral("--help")});
    QCOMPARE(help.status, 0);
    for (const char *option : {"--config <FILE>", "--check", "--show-config",
                               "--log-target <TARGET>", "--version", "--help", "78 bad"})
        QVERIFY2(help.output.contains(QLatin1String(option)), option);
    const Outcome versionText = runDtlsd({QStringLiteral("--version")});
    QCOMPARE(versionText.status, 0);
    QVERIFY(QRegularExpression(QStringLiteral("^dtlsd \\d+\\.\\d+\\.\\d+\nTLS backend: "
                                              "(dtlsd|qt \\(.+\\))\n$"))
                .match(versionText.output)
                .hasMatch());
}

void TestCommandLine::aValidConfigurationIsCheckedAndShown()
{
    const DaemonProcess files(valid);
    const Outcome checked =
        runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), files.configFile()});
    QCOMPARE(checked.status, 0);
    QCOMPARE(checked.output, QStringLiteral("The configuration is valid.\n"));
    QCOMPARE(checked.errors, QString());
    const Outcome shown =
        runDtlsd({QStringLiteral("--show-config"), QStringLiteral("--config"), files.configFile()});
    QCOMPARE(shown.status, 0);
    QVERIFY(shown.output.contains(QStringLiteral("listen = 127.0.0.1:0\n")));
    QVERIFY(shown.output.contains(QStringLiteral("sha256:")));
    QVERIFY(!shown.output.contains(QStringLiteral("00112233")));
}

/// The interface may come, so the status is not the one after which systemd gives up.
void TestCommandLine::whatTheMachineLacksIsNoErrorOfTheConfiguration()
{
    const QByteArray config = QByteArray(valid).replace("127.0.0.1:0", "[fe80::1%nosuch0]:0");
    DaemonProcess daemon(config);
    const QString missing =
        daemon.configFile() +
        QStringLiteral(":2: [server] listen: \"[fe80::1%nosuch0]:0\" names an interface that this "
                       "machine does not have, or not yet; the ones that ip link shows are "
                       "accepted");
    const Outcome checked =
        runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), daemon.configFile()});
    QCOMPARE(checked.status, 69);
    QCOMPARE(checked.output, QString());
    QCOMPARE(checked.errors, missing + u'\n');

    const Outcome shown = runDtlsd(
        {QStringLiteral("--show-config"), QStringLiteral("--config"), daemon.configFile()});
    QCOMPARE(shown.status, 0);
    QCOMPARE(shown.errors, missing + u'\n');

    QVERIFY(daemon.launch());
    QCOMPARE(daemon.waitForExit(), 69);
    const auto failed = daemon.events(QStringLiteral("listen-failed"));
    QCOMPARE(failed.size(), 1);
    QCOMPARE(failed[0].value(QStringLiteral("message")).toString(),
             QStringLiteral("cannot listen: ") + missing);
}

void TestCommandLine::withoutIPv6TheDefaultAddressesAreServed()
{
    const QByteArray config = QByteArray(valid).replace("127.0.0.1:0", "127.0.0.1:0, [::]:0");
    DaemonProcess daemon(config);
    const QString leftOut =
        QStringLiteral("[server] listen: \"[::]:0\" is left out: this kernel has no IPv6, or keeps "
                       "it from this service; the other addresses are listened on");
    const Outcome checked =
        runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), daemon.configFile()}, {},
                 &forbidFamily<AF_INET6>);
    QCOMPARE(checked.status, 0);
    QCOMPARE(checked.output, QStringLiteral("The configuration is valid.\n"));
    QCOMPARE(checked.errors, QStringLiteral("%1:2: %2\n").arg(daemon.configFile(), leftOut));

    daemon.process().setChildProcessModifier(&forbidFamily<AF_INET6>);
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    QCOMPARE(daemon.addresses().size(), 1);
    QVERIFY(daemon.addresses().constFirst().isIPv4());
    const auto warnings = daemon.events(QStringLiteral("configuration-warning"));
    QCOMPARE(warnings.size(), 1);
    QVERIFY(warnings[0].value(QStringLiteral("message")).toString().contains(leftOut));
    QCOMPARE(daemon.stop(), 0);
}

void TestCommandLine::theSecurityLevelIsChecked_data()
{
    QTest::addColumn<QByteArray>("ciphers");
    QTest::addColumn<int>("level");
    QTest::addColumn<QString>("problem"); // empty: it is accepted
    const QString lost = QStringLiteral("names PSK-AES128-GCM-SHA256, which OpenSSL leaves out at "
                                        "security level 3, and offers with :@SECLEVEL=2 at the "
                                        "end; ");
    QTest::newRow("a suite at the usual level")
        << QByteArray("PSK-AES128-GCM-SHA256") << 2 << QString();
    QTest::newRow("a suite at a level that leaves it out")
        << QByteArray("PSK-AES128-GCM-SHA256") << 3 << lost;
    QTest::newRow("the same with its own level")
        << QByteArray("PSK-AES128-GCM-SHA256:@SECLEVEL=2") << 3 << QString();
    QTest::newRow("one of two suites")
        << QByteArray("ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256") << 3 << lost;
    for (const char *preset : {"strict", "modern", "iot"})
        QTest::newRow(preset) << QByteArray(preset) << 3 << QString();
}

void TestCommandLine::theSecurityLevelIsChecked()
{
    QFETCH(QByteArray, ciphers);
    QFETCH(int, level);
    QFETCH(QString, problem);
    const DaemonProcess files(valid + "[tls]\nciphers = " + ciphers + '\n');
    files.write(QStringLiteral("openssl.cnf"), opensslConfig(level));
    const QString openssl = files.directory() + QStringLiteral("/openssl.cnf");
    const Outcome checked = runDtlsd(
        {QStringLiteral("--check"), QStringLiteral("--config"), files.configFile()}, openssl);
    QCOMPARE(checked.status, problem.isEmpty() ? 0 : 78);
    QVERIFY2(checked.errors.contains(problem), qPrintable(checked.errors));
    if (!problem.isEmpty())
        QVERIFY2(
            checked.errors.startsWith(files.configFile() + QStringLiteral(":9: [tls] ciphers: \"")),
            qPrintable(checked.errors));
    const Outcome shown = runDtlsd(
        {QStringLiteral("--show-config"), QStringLiteral("--config"), files.configFile()}, openssl);
    QCOMPARE(
        shown.output.contains(QStringLiteral("\nciphers = %1\n").arg(QString::fromLatin1(ciphers))),
        problem.isEmpty());
}

/// Asked for no algorithm but a FIPS provider's, where none is installed.
void TestCommandLine::anOpenSslThatHasNoSuiteIsSaid()
{
    const DaemonProcess files(valid);
    files.write(QStringLiteral("openssl.cnf"),
                "openssl_conf = all\n[all]\nalg_section = algorithms\n[algorithms]\n"
                "default_properties = fips=yes\n");
    for (const QByteArray list : {"", "[tls]\nciphers = strict\n"}) {
        files.write(QStringLiteral("dtlsd.ini"), valid + list);
        const Outcome checked =
            runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), files.configFile()},
                     files.directory() + QStringLiteral("/openssl.cnf"));
        QCOMPARE(checked.status, 78);
        QVERIFY2(checked.errors.contains(QStringLiteral("[tls] ciphers: ")) &&
                     checked.errors.contains(QStringLiteral("OpenSSL gives no DTLS context")),
                 qPrintable(checked.errors));
    }
}

/// By both backends: a device gets the suite that the machine's level would have left out.
void TestCommandLine::aPresetSetsTheSecurityLevelThatItNeeds()
{
    for (const QByteArray backend : {"auto", "qt"}) {
        DaemonProcess daemon(valid + "[tls]\nciphers = modern\nbackend = " + backend + '\n');
        daemon.write(QStringLiteral("openssl.cnf"), opensslConfig(3));
        daemon.write(QStringLiteral("psk.txt"), "a:00112233445566778899aabbccddeeff\n");
        daemon.setEnvironment(QStringLiteral("OPENSSL_CONF"),
                              daemon.directory() + QStringLiteral("/openssl.cnf"));
        QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
        ChildProcess device;
        QVERIFY(device.run(
            {QStringLiteral(DTLS_SEND_BINARY),
             {QStringLiteral("--psk-file"), daemon.directory() + QStringLiteral("/psk.txt"),
              QStringLiteral("--ciphers"), QStringLiteral("PSK-AES128-GCM-SHA256"),
              daemon.addresses().constFirst().toString(), QStringLiteral("hello")}}));
        QVERIFY(device.waitForEnd());
        QCOMPARE(device.exitCode(), 0);
        const auto opened = daemon.waitForEvent(QStringLiteral("session-opened"));
        QVERIFY(opened);
        QCOMPARE(opened->value(QStringLiteral("cipher")).toString(),
                 QStringLiteral("PSK-AES128-GCM-SHA256"));
        QCOMPARE(daemon.stop(), 0);
    }
}

void TestCommandLine::theTlsBackendInForceIsSaid_data()
{
    QTest::addColumn<QString>("choice");
    for (const char *choice : {"auto", "dtlsd", "qt"})
        QTest::newRow(choice) << QString::fromLatin1(choice);
}

/// Where ours does not work, `auto` is Qt's, and `dtlsd` is refused.
void TestCommandLine::theTlsBackendInForceIsSaid()
{
    QFETCH(QString, choice);
    const QString automatic = runDtlsd({QStringLiteral("--version")})
                                  .output.section(QStringLiteral("TLS backend: "), 1)
                                  .section(QRegularExpression(QStringLiteral("\\s")), 0, 0);
    const bool isUsable = choice != u"dtlsd" || automatic == u"dtlsd";
    DaemonProcess daemon(valid + "[tls]\nbackend = " + choice.toLatin1() + '\n');
    const Outcome checked =
        runDtlsd({QStringLiteral("--check"), QStringLiteral("--config"), daemon.configFile()});
    QCOMPARE(checked.status, isUsable ? 0 : 69);
    if (!isUsable) {
        const QString problem = QStringLiteral("[tls] backend = dtlsd: ");
        QVERIFY2(checked.errors.contains(problem), qPrintable(checked.errors));
        QVERIFY(daemon.launch());
        QCOMPARE(daemon.waitForExit(), 69);
        const QJsonObject failed = daemon.events(QStringLiteral("listen-failed")).value(0);
        QVERIFY(failed.value(u"message").toString().contains(problem));
        return;
    }
    QVERIFY2(daemon.start(), qPrintable(daemon.errorText()));
    const QString expected = choice == u"auto" ? automatic : choice;
    const QJsonObject started = daemon.events(QStringLiteral("started")).value(0);
    QCOMPARE(started.value(u"tls_backend").toString(), expected);
    const bool isOurs = expected == u"dtlsd";
    QCOMPARE(started.value(u"connection_ids").toString(), QLatin1String(isOurs ? "yes" : "no"));
    QVERIFY(started.value(u"message")
                .toString()
                .endsWith(isOurs ? QStringLiteral("; TLS backend: dtlsd")
                                 : QStringLiteral("; TLS backend: qt, so [tls] connection_ids and "
                                                  "[server] keep_sessions have no effect")));
    const auto status = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"status\"}");
    QCOMPARE(status.value(u"tls_backend").toString(), expected);
    QCOMPARE(status.value(u"connection_ids"), QJsonValue(isOurs));
    QCOMPARE(status.value(u"keep_sessions_obstacle").toString(),
             isOurs ? QStringLiteral("no service manager keeps descriptors")
                    : QStringLiteral("the TLS backend is Qt's own"));
    const auto health = ControlPeer::ask(daemon.controlSocket(), "{\"command\":\"health\"}");
    QCOMPARE(health.value(u"connection_ids"), QJsonValue(isOurs));
    QCOMPARE(daemon.stop(), 0);
}

void TestCommandLine::aBadConfigurationNeverStarts()
{
    DaemonProcess daemon("[server]\nlisten = nowhere\n[limits]\nmax_sesions = 5\n"
                         "[identity a]\nkey = hex:0011223344556677xx\n");
    QVERIFY(daemon.launch());
    QCOMPARE(daemon.waitForExit(), 78);
    const QString errors = daemon.errorText();
    for (const char *line :
         {":2: [server] listen: ", ":4: [limits] max_sesions: ", ":6: [identity a] key: "})
        QVERIFY2(errors.contains(daemon.configFile() + QLatin1String(line)), qPrintable(errors));
    QVERIFY(errors.contains(QStringLiteral("max_sessions")));
    QVERIFY(!errors.contains(QStringLiteral("00112233")));
}

void TestCommandLine::aMissingConfigurationSaysHowToGiveOne()
{
    const Outcome missing =
        runDtlsd({QStringLiteral("--config"), QStringLiteral("/nonexistent/dtlsd.ini")});
    QCOMPARE(missing.status, 78);
    QVERIFY(missing.errors.startsWith(QStringLiteral("/nonexistent/dtlsd.ini: ")));
    QVERIFY(missing.errors.contains(QStringLiteral("No such file or directory")));

    const DaemonProcess files("[psk]\nfile =\n");
    const Outcome nobody = runDtlsd({QStringLiteral("--config"), files.configFile()});
    QCOMPARE(nobody.status, 78);
    QVERIFY2(nobody.errors.contains(QStringLiteral("no identity")), qPrintable(nobody.errors));
}

DTLSD_TEST(TestCommandLine)
#include "tst_commandline.moc"
