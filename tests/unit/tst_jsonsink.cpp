// SPDX-License-Identifier: Apache-2.0
#include "log/JsonSink.h"
#include "support/TestProgram.h"

#include "core/Escape.h"
#include "support/LogFakes.h"

#include <QJsonDocument>
#include <QJsonObject>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Kind = LogField::Kind;

QJsonObject parsed(const QByteArray &line)
{
    return QJsonDocument::fromJson(line).object();
}

QByteArray allByteValues()
{
    QByteArray result;
    for (int i = 0; i < 256; ++i)
        result.append(static_cast<char>(i));
    return result;
}

} // namespace

class TestJsonSink : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aJsonLineHasEveryFieldOnce()
    {
        const auto expected = QJsonDocument::fromJson(R"({
            "ts": "2026-01-02T03:04:05.123456Z",
            "level": "info",
            "event": "datagram-received",
            "message": "sensor-17 says hello",
            "message_id": "0123456789abcdef0123456789abcdef",
            "session": "00ff00ff00ff00ff",
            "peer_port": 5683,
            "payload": "hello"
        })");
        QVERIFY(expected.isObject());
        QCOMPARE(parsed(jsonLine(datagramRecord("hello"))), expected.object());
    }

    void levelsHaveTheNamesOfTheConfiguration_data()
    {
        QTest::addColumn<Priority>("priority");
        QTest::newRow("error") << Priority::Error;
        QTest::newRow("warning") << Priority::Warning;
        QTest::newRow("notice") << Priority::Notice;
        QTest::newRow("info") << Priority::Info;
        QTest::newRow("debug") << Priority::Debug;
    }
    void levelsHaveTheNamesOfTheConfiguration()
    {
        QFETCH(Priority, priority);
        LogRecord record = datagramRecord({});
        record.priority = priority;
        QCOMPARE(parsed(jsonLine(record))[u"level"].toString(),
                 QString::fromLatin1(QTest::currentDataTag()));
    }

    void aPayloadIsReadBackByteForByte_data()
    {
        QTest::addColumn<QByteArray>("payload");
        QTest::addColumn<bool>("isText");
        const auto row = [](const char *name, const QByteArray &payload, bool isText) {
            QTest::newRow(name) << payload << isText;
        };
        row("text", "hello", true);
        row("nothing", "", true);
        row("quotes, braces and backslashes", R"({"a":"b\n\\"})", true);
        row("a line feed and a forged line", "x\n{\"event\":\"started\"}\r\n", true);
        row("NUL and every control byte", allByteValues().first(32) + '\x7f', true);
        row("C1 controls", "\xc2\x80\xc2\x85\xc2\x9b[31m", true);
        row("line separators", "\xe2\x80\xa8\xe2\x80\xa9", true);
        row("marks that turn the writing direction", "\xe2\x80\xae\xe2\x81\xa6", true);
        row("a byte order mark", "\xef\xbb\xbfhello", true);
        row("nothing but a byte order mark", "\xef\xbb\xbf", true);
        row("a tag beyond the first plane", "a\xf3\xa0\x80\x81", true);
        row("private characters of two planes", "\xee\x80\x80\xf3\xb0\x80\x80", true);
        row("a code point without a character", "\xf0\x9f\xbf\xbf", true);
        row("characters beyond the first plane", "\xf0\x9f\x8c\xa1 23\xc2\xb0", true);
        row("a byte that is not UTF-8", "21\xb0", false);
        row("a character cut short", "21\xe2\x82", false);
        row("an overlong form of NUL", "\xc0\x80", false);
        row("half a surrogate pair", "\xed\xa0\x80", false);
        row("every byte value", allByteValues(), false);
        row("16 KiB of text", QByteArray(16384, 'x'), true);
        row("16 KiB of controls", QByteArray(16384, '\x01'), true);
        row("16 KiB of other bytes", QByteArray(16384, '\xff'), false);
    }
    void aPayloadIsReadBackByteForByte()
    {
        QFETCH(QByteArray, payload);
        QFETCH(bool, isText);
        const QByteArray line = jsonLine(datagramRecord(payload));
        const QJsonObject object = parsed(line);
        QCOMPARE(object.contains(u"payload"), isText);
        QCOMPARE(object.contains(u"payload_base64"), !isText);
        const QByteArray readBack =
            isText ? object[u"payload"].toString().toUtf8()
                   : QByteArray::fromBase64(object[u"payload_base64"].toString().toLatin1());
        QCOMPARE(readBack, payload);
    }

    void aJsonLineIsOneLineOfVisibleCharacters_data() { aPayloadIsReadBackByteForByte_data(); }
    void aJsonLineIsOneLineOfVisibleCharacters()
    {
        QFETCH(QByteArray, payload);
        const QByteArray line = jsonLine(datagramRecord(payload));
        QCOMPARE(line.indexOf('\n'), line.size() - 1);
        for (const char32_t character : QString::fromUtf8(line.chopped(1)).toUcs4())
            QVERIFY2(isPrintable(character), line.constData());
    }

    void numbersAreExact_data()
    {
        QTest::addColumn<QByteArray>("digits");
        QTest::addColumn<QByteArray>("json");
        QTest::newRow("zero") << QByteArray("0") << QByteArray(R"("count":0,)");
        QTest::newRow("beyond a double")
            << QByteArray("9007199254740993") << QByteArray(R"("count":9007199254740993,)");
        QTest::newRow("beyond 64 bits it stays text")
            << QByteArray("18446744073709551616")
            << QByteArray(R"("count":"18446744073709551616",)");
    }
    void numbersAreExact()
    {
        QFETCH(QByteArray, digits);
        QFETCH(QByteArray, json);
        LogRecord record = recordSaying("many");
        record.fields.append({"DTLSD_COUNT", digits, Kind::Number});
        QVERIFY2(jsonLine(record).contains(json), jsonLine(record).constData());
    }
};

DTLSD_TEST(TestJsonSink)
#include "tst_jsonsink.moc"
