// SPDX-License-Identifier: Apache-2.0
#include "dtls/ReplyTemplate.h"
#include "support/TestProgram.h"

using namespace dtlsd;

class TestReplyTemplate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aReplyHasItsPlaceholdersFilled_data();
    void aReplyHasItsPlaceholdersFilled();
    void aReplyThatCannotBeFilledIsRefused_data();
    void aReplyThatCannotBeFilledIsRefused();
};

void TestReplyTemplate::aReplyHasItsPlaceholdersFilled_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QByteArray>("reply");
    QTest::newRow("ack") << QStringLiteral("ack") << QByteArray("to 192.0.2.7:5683: ACK");
    QTest::newRow("none") << QStringLiteral("none") << QByteArray();
    QTest::newRow("echo") << QStringLiteral("echo") << QByteArray("21.5");
    QTest::newRow("a text") << QStringLiteral("ok") << QByteArray("ok");
    QTest::newRow("all of them") << QStringLiteral("{identity}@{peer} #{sequence}: {size} {size}")
                                 << QByteArray("sensor-17@192.0.2.7:5683 #3: 4 4");
}

void TestReplyTemplate::aReplyHasItsPlaceholdersFilled()
{
    QFETCH(QString, text);
    QFETCH(QByteArray, reply);
    const auto parsed = ReplyTemplate::parse(text);
    QVERIFY(parsed);
    const auto peer = SocketAddress::parse(u"192.0.2.7:5683").value();
    QCOMPARE(parsed.value().render({peer, "sensor-17", "21.5", 3}), reply);
    QCOMPARE(parsed.value().text(), text);
}

void TestReplyTemplate::aReplyThatCannotBeFilledIsRefused_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("problem");
    QTest::newRow("empty") << QString() << QStringLiteral("is empty");
    QTest::newRow("unknown") << QStringLiteral("{who}")
                             << QStringLiteral("has an unknown placeholder {who}");
    QTest::newRow("unclosed") << QStringLiteral("a {peer")
                              << QStringLiteral("has a { without its }");
    QTest::newRow("too long") << QStringLiteral("{identity}").repeated(65)
                              << QStringLiteral(
                                     "can become longer than the 16384 bytes of a record");
    QTest::newRow("unopened") << QStringLiteral("peer} {size}")
                              << QStringLiteral("has a } without its {");
}

void TestReplyTemplate::aReplyThatCannotBeFilledIsRefused()
{
    QFETCH(QString, text);
    QFETCH(QString, problem);
    const auto parsed = ReplyTemplate::parse(text);
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().message, problem);
}

DTLSD_TEST(TestReplyTemplate)
#include "tst_replytemplate.moc"
