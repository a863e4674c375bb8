// SPDX-License-Identifier: Apache-2.0
//
// [server] cookie_secret.
#include "support/KeyFolder.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace dtlsd::test;
using namespace Qt::StringLiterals;

class TestCookieSecret : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cookieSecretIsRead_data();
    void cookieSecretIsRead();
    void cookieSecretIsRefused_data();
    void cookieSecretIsRefused();
    void cookieSecretIsNeverShown();

private:
    [[nodiscard]] ConfigResult loadCookieSecret(const QByteArray &value) const
    {
        return m_folder.load("[server]\ncookie_secret = " + value +
                             "\n[psk]\nfile =\n[identity a]\nkey = hex:" + hexKey + '\n');
    }

    KeyFolder m_folder;
};

void TestCookieSecret::cookieSecretIsRead_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("plain digits") << hexKey + hexKey + '\n';
    QTest::newRow("hex") << "hex:" + hexKey + hexKey;
    QTest::newRow("base64") << "base64:" + QByteArray::fromHex(hexKey + hexKey).toBase64() + '\n';
}

void TestCookieSecret::cookieSecretIsRead()
{
    QFETCH(QByteArray, content);
    m_folder.write(u"cookie.key"_s, content);
    const ConfigResult result = loadCookieSecret("file:cookie.key");
    QCOMPARE(m_folder.errorsOf(result), QStringList());
    QCOMPARE(result.config.cookies.file, m_folder.path(u"cookie.key"_s));
    QCOMPARE(result.config.cookies.secret.bytes().toHex(), hexKey + hexKey);
}

void TestCookieSecret::cookieSecretIsRefused_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<unsigned>("mode");
    QTest::addColumn<QString>("expected");
    const QByteArray file = "file:cookie.key";
    QTest::newRow("one in the INI file, which others may read")
        << "hex:" + hexKey + hexKey << QByteArray() << 0640u
        << u"does not begin with file:; nothing or file: and a path is accepted"_s;
    QTest::newRow("no path") << QByteArray("file:") << QByteArray() << 0640u
                             << u"has no path behind file:; nothing or file: and a path is "
                                "accepted"_s;
    QTest::newRow("too short") << file << hexKey << 0640u
                               << u"DIR/cookie.key: the secret in it is 16 bytes long; 32 to 64 "
                                  "bytes are accepted"_s;
    QTest::newRow("too long") << file << hexKey.repeated(5) << 0640u
                              << u"DIR/cookie.key: the key in it is 80 bytes long; 1 to 64 bytes "
                                 "are accepted"_s;
    QTest::newRow("others can read it")
        << file << hexKey + hexKey << 0644u
        << u"DIR/cookie.key: others can read it (mode 0644); chmod 0640 DIR/cookie.key "
           "mends that"_s;
    QTest::newRow("no file") << QByteArray("file:absent") << QByteArray() << 0640u
                             << u"DIR/absent: cannot be opened: No such file or directory"_s;
}

void TestCookieSecret::cookieSecretIsRefused()
{
    QFETCH(QByteArray, value);
    QFETCH(QByteArray, content);
    QFETCH(unsigned, mode);
    QFETCH(QString, expected);
    m_folder.write(u"cookie.key"_s, content, mode);
    QCOMPARE(m_folder.errorsOf(loadCookieSecret(value)),
             QStringList{u"DIR/dtlsd.ini:2: [server] cookie_secret: "_s + expected});
}

void TestCookieSecret::cookieSecretIsNeverShown()
{
    m_folder.write(u"cookie.key"_s, hexKey + hexKey);
    const QByteArray shown = showConfig(loadCookieSecret("file:cookie.key").config);
    QVERIFY(shown.contains("\ncookie_secret = file:" + m_folder.path(u"cookie.key"_s).toUtf8()));
    QVERIFY(!shown.contains(hexKey));
}

DTLSD_TEST(TestCookieSecret)
#include "tst_cookiesecret.moc"
