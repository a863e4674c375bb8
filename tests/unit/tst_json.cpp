// SPDX-License-Identifier: Apache-2.0
#include "core/Json.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestJson : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bytesAreTextOrBase64_data();
    void bytesAreTextOrBase64();
    void aLineShowsNothingThatATerminalObeys();
};

void TestJson::bytesAreTextOrBase64_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("text") << QByteArray("21 °C") << QByteArray("{\"x\":\"21 °C\"}\n");
    QTest::newRow("nothing") << QByteArray() << QByteArray("{\"x\":\"\"}\n");
    QTest::newRow("a byte order mark is kept")
        << QByteArray("\xef\xbb\xbfx") << QByteArray("{\"x\":\"\\ufeffx\"}\n");
    QTest::newRow("no UTF-8") << QByteArray("\xff\x00zz", 4)
                              << QByteArray("{\"x_base64\":\"/wB6eg==\"}\n");
}

void TestJson::bytesAreTextOrBase64()
{
    QFETCH(QByteArray, bytes);
    QJsonObject object;
    insertBytes(object, QStringLiteral("x"), bytes);
    QTEST(jsonLine(object), "line");
}

void TestJson::aLineShowsNothingThatATerminalObeys()
{
    const QString text = QStringLiteral("\n\u001b[31m\u009b\u202e") + QChar(0xdb40) + QChar(0xdc01);
    QCOMPARE(jsonLine({{QStringLiteral("x"), text}}),
             QByteArray("{\"x\":\"\\n\\u001b[31m\\u009b\\u202e\\udb40\\udc01\"}\n"));
}

DTLSD_TEST(TestJson)
#include "tst_json.moc"
