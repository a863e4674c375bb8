// SPDX-License-Identifier: Apache-2.0
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"
#include "support/WrittenConfig.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestShowConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void shownConfigIsReadBack();
    void shownConfigHasNoKey();
    void shownConfigCountsManyIdentities();

private:
    ConfigFolder m_folder;
};

static const QByteArray fullConfig = R"([server]
reply = "{size} \"bytes\"; \\thanks, {identity}"
identity_hint = " hint "
keep_sessions = no
node = 200
[tls]
connection_ids = no
[log]
level = debug
[limits]
idle_timeout = 90s
idle_timeout_with_id = 7d
[psk]
file = psk.txt
[identity z]
key = hex:ffeeddccbbaa99887766554433221100
[identity a ü; 50%\7" // [x/]
key = text:key of sixteen b
next_key = text:another of sixteen
allow_from = 10.0.0.0/8, 192.0.2.7
reply = none
datagrams_per_second = 0
[identity ""]
key = text:key without a name
[identity *]
key = text:sixteen bytes, for all
)";

void TestShowConfig::shownConfigIsReadBack()
{
    m_folder.write(u"psk.txt"_s, "m:00112233445566778899aabbccddeeff\n");
    const ConfigResult first = m_folder.load(fullConfig);
    QCOMPARE(m_folder.texts(first.errors), QStringList());

    QByteArray shown = showConfig(first.config);
    const ConfigResult withoutKeys = m_folder.load(shown);
    QCOMPARE(withoutKeys.errors.size(), 4); // and nothing but the keys is missing
    for (const ConfigMessage &error : withoutKeys.errors)
        QVERIFY2(error.text.contains(u"there is no key"_s), qPrintable(error.text));

    for (const QByteArray key :
         {"hex:ffeeddccbbaa99887766554433221100", "text:key of sixteen b",
          "text:another of sixteen", "text:key without a name", "text:sixteen bytes, for all"}) {
        const qsizetype at = shown.indexOf("key = sha256:");
        const qsizetype comment = shown.lastIndexOf("; ", at);
        const qsizetype end = shown.indexOf('\n', at);
        const QByteArray name = shown.sliced(comment + 2, shown.indexOf('=', at) - comment - 2);
        shown.replace(comment, end - comment, name + "= " + key);
    }
    const ConfigResult second = m_folder.load(shown);
    QCOMPARE(m_folder.texts(second.errors), QStringList());
    QCOMPARE(written(second.config), written(first.config));
    QCOMPARE(second.config.keys.sections, first.config.keys.sections);
    QCOMPARE(written(*second.config.settings.identities),
             written(*first.config.settings.identities));
    QCOMPARE(showConfig(second.config), showConfig(first.config));
}

void TestShowConfig::shownConfigHasNoKey()
{
    m_folder.write(u"psk.txt"_s, "m:00112233445566778899aabbccddeeff\n");
    const ConfigResult result = m_folder.load(fullConfig);
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    const QByteArray shown = showConfig(result.config);
    for (const char *secret : {"0011", "ffee", "FFEE", "sixteen", "another", "without"})
        QVERIFY2(!shown.contains(secret), shown.constData());
    const PskStore &store = *result.config.settings.identities;
    QVERIFY(shown.contains("[identity z]\n; key = " + store.find("z")->key.fingerprint() + '\n'));
    QVERIFY(shown.contains("; 1 identity from "));
    QVERIFY(shown.contains(";   m " + store.find("m")->key.fingerprint() + '\n'));
    QVERIFY(shown.contains("[identity *]\n; key = sha256:"));
    QVERIFY(shown.contains("[identity \"\"]\n; key = " + store.find({})->key.fingerprint() + '\n'));
}

void TestShowConfig::shownConfigCountsManyIdentities()
{
    QByteArray lines;
    for (int i = 0; i < 1001; ++i)
        lines += 'd' + QByteArray::number(i) + ":00112233445566778899aabbccddeeff\n";
    m_folder.write(u"psk.txt"_s, lines);
    const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n");
    const QByteArray shown = showConfig(result.config);
    QVERIFY(shown.contains("; 1001 identities from "));
    QVERIFY(!shown.contains(";   d7 "));
}

DTLSD_TEST(TestShowConfig)
#include "tst_showconfig.moc"
