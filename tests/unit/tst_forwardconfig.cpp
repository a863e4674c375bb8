// SPDX-License-Identifier: Apache-2.0
//
// What an operator writes about services, and reads about what is wrong with it.
#include "config/ConfigChange.h"
#include "config/ConfigSchema.h"
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"
#include "support/WrittenConfig.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

namespace {

const QByteArray quiet = "[limits]\nmax_sessions = 4000\n"; // less than [::1] can tell apart
const QByteArray key = "key = text:sixteen bytes ok\n";
const QByteArray rest = "[psk]\nfile =\n";

/// Sections as lines 1 and 2, 4 and 5: `[server]` with @p server, and an identity with @p identity.
QByteArray configWith(const QByteArray &server, const QByteArray &identity = {})
{
    return "[server]\n" + server + "\n[identity a]\n" + key + identity + '\n' + quiet + rest;
}

QString replyInForce(const Config &config, const QByteArray &identity)
{
    const auto &own = config.settings.identities->find(identity)->reply;
    return own.value_or(config.settings.reply.reply).text();
}

} // namespace

class TestForwardConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void servicesAreRead_data();
    void servicesAreRead();
    void identitiesHaveServicesOfTheirOwn();
    void whatIsNoServiceIsAnError_data();
    void whatIsNoServiceIsAnError();
    void dtlsdsOwnAddressIsAnError_data();
    void dtlsdsOwnAddressIsAnError();
    void whatTheSandboxKeepsFromDtlsdIsAnError_data();
    void whatTheSandboxKeepsFromDtlsdIsAnError();
    void warnings_data();
    void warnings();
    void theReplyInForceFollowsTheService_data();
    void theReplyInForceFollowsTheService();
    void aReceiptThatNothingLogsIsRefused();
    void whatIsShownIsReadBack();
    void aReloadNamesWhatChanges_data();
    void aReloadNamesWhatChanges();

private:
    ConfigFolder m_folder;
};

void TestForwardConfig::servicesAreRead_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QString>("target"); // empty: none
    const auto row = [](const char *name, const QByteArray &value, const QString &target) {
        QTest::newRow(name) << value << target;
    };
    row("IPv4", "127.0.0.1:5683", u"127.0.0.1:5683"_s);
    row("elsewhere in 127/8", "127.0.0.53:53", u"127.0.0.53:53"_s);
    row("IPv6", "[::1]:5683", u"[::1]:5683"_s);
    row("IPv4 in its IPv6 form", "[::ffff:127.0.0.1]:5683", u"127.0.0.1:5683"_s);
    row("in quotes", "\"127.0.0.1:5683\"", u"127.0.0.1:5683"_s);
    row("the largest port", "127.0.0.1:65535", u"127.0.0.1:65535"_s);
    row("none", "none", {});
    row("nothing", "", {});
}

void TestForwardConfig::servicesAreRead()
{
    QFETCH(QByteArray, value);
    QFETCH(QString, target);
    const ConfigResult result = m_folder.load(configWith("forward = " + value));
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(m_folder.texts(result.warnings), QStringList());
    const SocketAddress &read = result.config.forward.target;
    QCOMPARE(read == SocketAddress() ? QString() : read.toString(), target);
    QCOMPARE(result.config.forward.header, ForwardOptions::Header::None);
}

void TestForwardConfig::identitiesHaveServicesOfTheirOwn()
{
    const ConfigResult result = m_folder.load(
        "[server]\nforward = 127.0.0.1:5683\n"
        "forward_header = proxy\n" +
        rest + quiet + "[identity own]\n" + key + "forward = [::1]:7\n[identity none]\n" + key +
        "forward = none\n[identity general]\n" + key + "forward =\n[identity \"\"]\n" + key +
        "forward = 127.0.0.1:9\n[identity *]\n" + key + "forward = none\n");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    const PskStore &identities = *result.config.settings.identities;
    QCOMPARE(result.config.forward.header, ForwardOptions::Header::Proxy);
    QCOMPARE(identities.find("own")->forward, SocketAddress::parse(u"[::1]:7"));
    QCOMPARE(identities.find("none")->forward, std::optional(SocketAddress()));
    QCOMPARE(identities.find("general")->forward, std::optional<SocketAddress>());
    QCOMPARE(identities.find("")->forward, SocketAddress::parse(u"127.0.0.1:9"));
    QCOMPARE(identities.wildcard()->forward, std::optional(SocketAddress()));
}

void TestForwardConfig::whatIsNoServiceIsAnError_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QString>("why");
    const QString none = u"is not an address with a port"_s;
    const QString elsewhere = u"is not on this machine's loopback"_s;
    const auto row = [](const char *name, const QByteArray &value, const QString &why) {
        QTest::newRow(name) << value << why;
    };
    row("a host name", "localhost:5683", none);
    row("an address without a port", "127.0.0.1", none);
    row("an IPv6 address without brackets", "::1:5683", none);
    row("a port alone", "5683", none);
    row("a port that does not exist", "127.0.0.1:65536", none);
    row("two addresses", "127.0.0.1:1, 127.0.0.1:2", none);
    row("a URL", "coap://127.0.0.1:5683", none);
    row("a path", "/run/service.sock", none);
    row("NONE", "NONE", none);
    row("another machine", "192.0.2.1:5683", elsewhere);
    row("another machine by IPv6", "[2001:db8::1]:5683", elsewhere);
    row("every address", "0.0.0.0:5683", elsewhere);
    row("every IPv6 address", "[::]:5683", elsewhere);
    row("multicast", "224.0.1.187:5683", elsewhere);
    row("multicast by IPv6", "[ff02::fd]:5683", elsewhere);
    row("a broadcast", "255.255.255.255:5683", elsewhere);
    row("the broadcast of loopback", "127.255.255.255:5683", u"is a broadcast address"_s);
    row("port 0", "127.0.0.1:0", u"has port 0, at which nothing listens"_s);
    row("port 0 by IPv6", "[::1]:0", u"has port 0, at which nothing listens"_s);
}

void TestForwardConfig::whatIsNoServiceIsAnError()
{
    QFETCH(QByteArray, value);
    QFETCH(QString, why);
    const QString accepted =
        u"nothing, none or an address such as 127.0.0.1:5683 or [::1]:5683 is accepted"_s;
    const QString text = u"\"%1\" %2; "_s.arg(QString::fromLatin1(value), why);
    QCOMPARE(m_folder.texts(m_folder.load(configWith("forward = " + value)).errors),
             QStringList{u"DIR/dtlsd.ini:2: [server] forward: "_s + text + accepted});
    QCOMPARE(m_folder.texts(m_folder.load(configWith("", "forward = " + value)).errors),
             QStringList{u"DIR/dtlsd.ini:5: [identity a] forward: "_s + text + accepted});
}

void TestForwardConfig::dtlsdsOwnAddressIsAnError_data()
{
    QTest::addColumn<QByteArray>("listen"); // empty: the default
    QTest::addColumn<QByteArray>("forward");
    QTest::addColumn<bool>("isOwn");
    const auto row = [](const char *name, const QByteArray &listen, const QByteArray &forward,
                        bool isOwn) { QTest::newRow(name) << listen << forward << isOwn; };
    row("the default port", {}, "127.0.0.1:22334", true);
    row("the default port elsewhere in 127/8", {}, "127.0.0.2:22334", true);
    row("the default port by IPv6", {}, "[::1]:22334", true);
    row("the default port by IPv4 in its IPv6 form", {}, "[::ffff:127.0.0.1]:22334", true);
    row("another port", {}, "127.0.0.1:5683", false);
    row("an address that is listened on", "127.0.0.1:5684, 192.0.2.1:5683", "127.0.0.1:5684", true);
    row("its port at another address", "192.0.2.1:5683", "127.0.0.1:5683", false);
    row("its port of the other family", "0.0.0.0:5683", "[::1]:5683", false);
    row("its port of the other family, the other way", "[::]:5683", "127.0.0.1:5683", false);
    row("the second of them", "127.0.0.1:1, [::]:2", "[::1]:2", true);
}

void TestForwardConfig::dtlsdsOwnAddressIsAnError()
{
    QFETCH(QByteArray, listen);
    QFETCH(QByteArray, forward);
    QFETCH(bool, isOwn);
    const QByteArray text = "[server]\n" +
                            (listen.isEmpty() ? QByteArray() : "listen = " + listen + '\n') +
                            quiet + rest;
    const auto errors = [&](const QByteArray &server, const QByteArray &identity) {
        QByteArray whole = text;
        whole.replace("[server]\n", "[server]\n" + server);
        return m_folder.texts(
            m_folder.load(whole + "[identity a]\n" + key + identity + '\n').errors);
    };
    const QByteArray line = "forward = " + forward + '\n';
    for (const QStringList &found : {errors(line, {}), errors({}, line)}) {
        QCOMPARE(found.size(), isOwn ? 1 : 0);
        QVERIFY2(!isOwn || found[0].contains(u" forward: "_s), qPrintable(found.join(u'\n')));
        QVERIFY2(!isOwn ||
                     found[0].endsWith(u" is an address of this dtlsd ([server] listen); that "
                                       "of a service is accepted"_s),
                 qPrintable(found.join(u'\n')));
    }
}

void TestForwardConfig::whatTheSandboxKeepsFromDtlsdIsAnError_data()
{
    QTest::addColumn<QByteArray>("forward");
    QTest::addColumn<bool>("hasIPv4");
    QTest::addColumn<bool>("hasIPv6");
    QTest::addColumn<bool>("isRight");
    QTest::newRow("IPv4 with both") << QByteArray("127.0.0.1:1") << true << true << true;
    QTest::newRow("IPv4 alone") << QByteArray("127.0.0.1:1") << true << false << true;
    QTest::newRow("IPv4 that is missing") << QByteArray("127.0.0.1:1") << false << true << false;
    QTest::newRow("IPv6 alone") << QByteArray("[::1]:1") << false << true << true;
    QTest::newRow("IPv6 that is missing") << QByteArray("[::1]:1") << true << false << false;
    QTest::newRow("nothing is needed") << QByteArray("none") << false << false << true;
}

void TestForwardConfig::whatTheSandboxKeepsFromDtlsdIsAnError()
{
    QFETCH(QByteArray, forward);
    QFETCH(bool, hasIPv4);
    QFETCH(bool, hasIPv6);
    QFETCH(bool, isRight);
    const Machine machine{.hasIPv4 = hasIPv4, .hasIPv6 = hasIPv6};
    const auto errors = [&](const QByteArray &text) {
        return m_folder.texts(m_folder.load(text, {}, machine).errors);
    };
    const QString missing = forward.startsWith('[') ? u"IPv6"_s : u"IPv4"_s;
    const QByteArray line = "forward = " + forward;
    for (const auto &[found, place] :
         {std::pair(errors(configWith(line)), u":2: [server]"_s),
          std::pair(errors(configWith("", line)), u":5: [identity a]"_s)}) {
        QCOMPARE(found.size(), isRight ? 0 : 1);
        if (isRight)
            continue;
        QVERIFY2(found[0].startsWith(u"DIR/dtlsd.ini"_s + place + u" forward: \""_s),
                 qPrintable(found[0]));
        QVERIFY2(found[0].contains(missing), qPrintable(found[0]));
        QVERIFY2(found[0].contains(u"RestrictAddressFamilies="_s), qPrintable(found[0]));
    }
}

void TestForwardConfig::warnings_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("descriptors");
    QTest::addColumn<QStringList>("places"); // and what each says
    const qint64 any = std::numeric_limits<qint64>::max();
    const QByteArray identity = "[identity a]\n" + key;
    const auto row = [](const char *name, const QByteArray &text, qint64 descriptors,
                        const QStringList &places) {
        QTest::newRow(name) << text << descriptors << places;
    };
    const QString few = u"can tell 4536 sessions apart"_s;
    row("a service at 127.0.0.1", "[server]\nforward = 127.0.0.1:1\n" + identity, any, {});
    row("a service at [::1] for more sessions than it can tell apart",
        "[server]\nforward = [::1]:1\n" + identity, any, {u":2: [server] forward: "_s + few});
    row("the same of an identity", "[server]\n" + identity + "forward = [::1]:1\n", any,
        {u":4: [identity a] forward: "_s + few});
    row("a service at [::1] for 4536 sessions",
        "[server]\nforward = [::1]:1\n[limits]\nmax_sessions = 4536\n" + identity, any, {});
    row("one session more",
        "[server]\nforward = [::1]:1\n[limits]\nmax_sessions = 4537\n" + identity, any,
        {u":2: [server] forward: "_s + few});
    row("as few descriptors as systemd grants by default",
        "[server]\nforward = 127.0.0.1:1\n" + identity, 1024,
        {u":2: [server] forward: each session with a service needs a descriptor"_s});
    row("few descriptors are said once",
        "[server]\nforward = 127.0.0.1:1\n" + identity + "forward = 127.0.0.1:2\n", 1024,
        {u":2: [server] forward: each session with a service needs a descriptor"_s});
    row("few descriptors for few sessions",
        "[server]\nforward = 127.0.0.1:1\n[limits]\nmax_sessions = 500\n" + identity, 1024, {});
    row("few descriptors without a service", "[server]\nforward = none\n" + identity, 1024, {});
    row("a header without a service", "[server]\nforward_header = proxy\n" + identity, any,
        {u":2: [server] forward_header: has no effect, as nothing is forwarded"_s});
    row("a header with a service that one identity has",
        "[server]\nforward_header = proxy\n" + identity + "forward = 127.0.0.1:1\n", any, {});
    row("a header that is none", "[server]\nforward_header = none\n" + identity, any, {});
}

void TestForwardConfig::warnings()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, descriptors);
    QFETCH(QStringList, places);
    const ConfigResult result = m_folder.load(text + rest, {}, Machine{.descriptors = descriptors});
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    const QStringList found = m_folder.texts(result.warnings);
    QVERIFY2(found.size() == places.size(), qPrintable(found.join(u'\n')));
    for (qsizetype i = 0; i < places.size(); ++i) {
        const QString start = u"DIR/dtlsd.ini"_s + places[i].section(u": "_s, 0, 1) + u": "_s;
        QVERIFY2(found[i].startsWith(start), qPrintable(found[i]));
        QVERIFY2(found[i].contains(places[i].section(u": "_s, 2)), qPrintable(found[i]));
    }
}

/// "The identity's own; else none if the identity sets forward; else what [server] says; else none
/// where forward is set; else ack", and an identity with `forward = none` is as one without a
/// service.
void TestForwardConfig::theReplyInForceFollowsTheService_data()
{
    QTest::addColumn<QByteArray>("server");
    QTest::addColumn<QByteArray>("identity");
    QTest::addColumn<QString>("reply");
    const std::array<QByteArray, 3> forwards{"", "forward = 127.0.0.1:1\n", "forward = none\n"};
    const std::array<const char *, 3> names{"says nothing", "has a service", "has none"};
    // Without a reply of the identity: [server] forward, [identity] forward.
    const QString unwritten[3][3] = {{u"ack"_s, u"none"_s, u"ack"_s},
                                     {u"none"_s, u"none"_s, u"ack"_s},
                                     {u"ack"_s, u"none"_s, u"ack"_s}};
    const QString written[3][3] = {{u"echo"_s, u"none"_s, u"echo"_s},
                                   {u"echo"_s, u"none"_s, u"echo"_s},
                                   {u"echo"_s, u"none"_s, u"echo"_s}};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            const auto row = [&](const char *rest, const QByteArray &server,
                                 const QByteArray &identity, const QString &reply) {
                QTest::addRow("[server] %s, the identity %s, %s", names[i], names[j], rest)
                    << server + forwards[i] << identity + forwards[j] << reply;
            };
            row("no reply is written", "", "", unwritten[i][j]);
            row("[server] writes one", "reply = echo\n", "", written[i][j]);
            row("the identity writes one", "", "reply = mine\n", u"mine"_s);
            row("both write one", "reply = echo\n", "reply = mine\n", u"mine"_s);
            row("the identity writes ack", "", "reply = ack\n", u"ack"_s);
        }
    }
}

void TestForwardConfig::theReplyInForceFollowsTheService()
{
    QFETCH(QByteArray, server);
    QFETCH(QByteArray, identity);
    QFETCH(QString, reply);
    for (const QByteArray name : {"a", "*", "\"\""}) {
        const ConfigResult result = m_folder.load("[server]\n" + server + rest + "[identity " +
                                                  name + "]\n" + key + identity);
        QCOMPARE(m_folder.texts(result.errors), QStringList());
        const QByteArray device = name == "\"\"" ? QByteArray("") : QByteArray("a");
        QCOMPARE(replyInForce(result.config, device), reply);
    }
    // The order of sections means nothing.
    const ConfigResult turned =
        m_folder.load("[identity a]\n" + key + identity + rest + "[server]\n" + server);
    QCOMPARE(replyInForce(turned.config, "a"), reply);
}

void TestForwardConfig::aReceiptThatNothingLogsIsRefused()
{
    const QByteArray silent = "[log]\nlevel = warning\n";
    const auto errors = [&](const QByteArray &server, const QByteArray &identity) {
        return m_folder.load(configWith(server, identity) + silent).errors;
    };
    QCOMPARE(errors("forward = 127.0.0.1:1", "").size(), 0);
    QCOMPARE(errors("forward = 127.0.0.1:1\nreply = echo", "").size(), 0);
    QCOMPARE(errors("forward = 127.0.0.1:1\nreply = ack", "").size(), 1);
    QCOMPARE(errors("forward = 127.0.0.1:1", "reply = ack").size(), 1);
    const auto unforwarded = errors("forward = 127.0.0.1:1", "forward = none");
    QCOMPARE(unforwarded.size(), 1);
    QVERIFY(unforwarded[0].text.contains(u"in [identity a] would acknowledge"_s));
}

void TestForwardConfig::whatIsShownIsReadBack()
{
    for (const QByteArray server :
         {"forward = 127.0.0.1:5683\nforward_header = proxy", "forward = [::1]:1", "forward = none",
          "forward = 127.0.0.1:1\nreply = echo", "reply = none"}) {
        for (const QByteArray identity : {"", "forward = none", "forward = 127.0.0.1:2",
                                          "forward = 127.0.0.1:2\nreply = ack"}) {
            const ConfigResult first = m_folder.load(configWith(server, identity));
            QCOMPARE(m_folder.texts(first.errors), QStringList());
            QByteArray shown = showConfig(first.config);
            const qsizetype at = shown.indexOf("; key = sha256:");
            shown.replace(at, shown.indexOf('\n', at) + 1 - at, key);
            const ConfigResult second = m_folder.load(shown);
            QCOMPARE(m_folder.texts(second.errors), QStringList());
            QCOMPARE(written(second.config), written(first.config));
            QCOMPARE(written(*second.config.settings.identities),
                     written(*first.config.settings.identities));
            QCOMPARE(replyInForce(second.config, "a"), replyInForce(first.config, "a"));
        }
    }
}

void TestForwardConfig::aReloadNamesWhatChanges_data()
{
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("after");
    QTest::addColumn<QString>("change");
    const auto row = [](const char *name, const QByteArray &before, const QByteArray &after,
                        const QString &change) {
        QTest::newRow(name) << before << after << change;
    };
    const QByteArray reply = "reply = ack\n";
    row("other words for the same", configWith(reply), configWith(reply + "forward = none"),
        u"nothing changed"_s);
    row("a service comes", configWith(reply), configWith(reply + "forward = 127.0.0.1:1"),
        u"[server] forward changed"_s);
    row("a service that replies instead comes", configWith(""), configWith("forward = 127.0.0.1:1"),
        u"[server] reply, [server] forward changed"_s);
    row("another service", configWith("forward = 127.0.0.1:1"), configWith("forward = 127.0.0.1:2"),
        u"[server] forward changed"_s);
    row("the header", configWith("forward = 127.0.0.1:1"),
        configWith("forward = 127.0.0.1:1\nforward_header = proxy"),
        u"[server] forward_header changed"_s);
    row("an identity's service", configWith(""), configWith("", "forward = 127.0.0.1:1"),
        u"1 identity changed (a)"_s);
    row("an identity's service, to none", configWith("forward = 127.0.0.1:1", reply),
        configWith("forward = 127.0.0.1:1", reply + "forward = none"), u"1 identity changed (a)"_s);
}

void TestForwardConfig::aReloadNamesWhatChanges()
{
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, after);
    QFETCH(QString, change);
    const Config first = m_folder.load(before).config;
    Config second = m_folder.load(after).config;
    QCOMPARE(ConfigChange::between(first, second).toString(), change);
    QCOMPARE(keepUntilRestart(first, second), QStringList());
}

DTLSD_TEST(TestForwardConfig)
#include "tst_forwardconfig.moc"
