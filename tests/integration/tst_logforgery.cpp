// SPDX-License-Identifier: Apache-2.0
//
// Nobody writes a line of the log but the daemon: identities and payloads that are made to look
// like lines, to steer a terminal or to end a JSON object stay what they are, in text and in JSON.
#include "dtls/DtlsClient.h"
#include "support/DaemonProcess.h"
#include "support/TestKey.h"
#include "support/TestProgram.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QRegularExpression>

#include <algorithm>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

QList<QByteArray> nastyTexts()
{
    return {"eve\n2026-01-01 00:00:00.000 notice  dtlsd 9.9 listens on nothing",
            "eve\r\n\r\n\v\f\b\a\x7f",
            "\x1b[2J\x1b]0;title\a\x1b[31mred",
            "\xc2\x9b[31m and \xc2\x85 of C1",
            "line\xe2\x80\xa8separator, paragraph\xe2\x80\xa9, right\xe2\x80\xaeto left",
            "\xff\xfe\x80 no UTF-8 \xc3",
            "\"},\n{\"event\":\"started\",\"level\":\"notice\",\"x\":\"",
            "%s%n%1%2 {peer} \\x0a \\n",
            QByteArray(255, '\n'),
            "x"};
}

QList<QByteArray> nastyPayloads()
{
    return nastyTexts() + QList<QByteArray>{QByteArray("\0\0\n\0", 4), QByteArray(16'384, '\x1b'),
                                            QByteArray(16'384, '\n')};
}

/// A field's exact bytes.
QByteArray bytesOf(const QJsonObject &event, const QString &name)
{
    const QJsonValue encoded = event[name + QStringLiteral("_base64")];
    return encoded.isString() ? QByteArray::fromBase64(encoded.toString().toLatin1())
                              : event[name].toString().toUtf8();
}

bool isControl(char byte)
{
    const auto value = static_cast<uchar>(byte);
    return value < 0x20 || value == 0x7f;
}

/// Whether a terminal shows @p line as one line, from left to right.
bool isPlain(const QByteArray &line)
{
    const QString text = QString::fromUtf8(line);
    return std::none_of(text.begin(), text.end(), [](QChar character) {
        switch (character.category()) {
        case QChar::Other_Control:
        case QChar::Other_Format:
        case QChar::Separator_Line:
        case QChar::Separator_Paragraph:
            return true;
        default:
            return character == QChar::ReplacementCharacter;
        }
    });
}

} // namespace

class TestLogForgery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void linesAreTheDaemonsOwn_data();
    void linesAreTheDaemonsOwn();
    void aClaimedIdentityWritesNoLine_data();
    void aClaimedIdentityWritesNoLine();

private:
    void start(const QString &target, const QByteArray &config);
    void talk();
    void claim(qsizetype failures);
    [[nodiscard]] QByteArray output() const;
    [[nodiscard]] QList<QByteArray> lines() const;
    void readsAsText();
    void readsAsJson(const QString &event, const QString &field, QList<QByteArray> values);

    std::unique_ptr<DaemonProcess> m_daemon;
    QString m_file;
    SocketAddress m_server;
};

void TestLogForgery::init()
{
    m_server = {};
}

void TestLogForgery::cleanup()
{
    m_daemon.reset();
}

QByteArray TestLogForgery::output() const
{
    QFile file(m_file);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QList<QByteArray> TestLogForgery::lines() const
{
    QList<QByteArray> all = output().split('\n');
    all.removeLast(); // what follows the last newline: nothing, as readsAs...() makes sure
    return all;
}

void TestLogForgery::start(const QString &target, const QByteArray &config)
{
    m_daemon = std::make_unique<DaemonProcess>(
        "[server]\nlisten = 127.0.0.1:0\nreply = echo\n[limits]\nhandshake_timeout = 3s\n"
        "[psk]\nfile =\n" +
        config + "key = hex:" + hexKey + "\n");
    m_daemon->addArguments({QStringLiteral("--log-target"), target}); // the last one counts
    m_file = QDir(m_daemon->directory()).filePath(QStringLiteral("log"));
    m_daemon->process().setStandardOutputFile(m_file);
    QVERIFY(m_daemon->launch());
    const QRegularExpression where(QStringLiteral("listens on (127\\.0\\.0\\.1:\\d+) with"));
    const auto isListening = [&] {
        const auto match = where.match(QString::fromUtf8(output()));
        m_server = SocketAddress::parse(match.captured(1)).value_or(SocketAddress());
        return match.hasMatch() || !m_daemon->process().isRunning();
    };
    QVERIFY(waitUntil(isListening, QDeadlineTimer(patience)));
    QVERIFY2(m_server.port() != 0, qPrintable(m_daemon->errorText()));
}

void TestLogForgery::talk()
{
    for (const QByteArray &identity : nastyTexts()) {
        DtlsClient client({.identity = identity, .key = PskKey(testKey), .ciphers = {}});
        QList<QByteArray> receipts;
        connect(&client, &DtlsClient::received, &client,
                [&](const QByteArray &receipt) { receipts << receipt; });
        QVERIFY(client.connectTo(m_server));
        QTRY_VERIFY(client.isConnected());
        for (const QByteArray &payload : nastyPayloads())
            QVERIFY(client.send(payload));
        QTRY_COMPARE(receipts, nastyPayloads());
        client.close();
    }
    QCOMPARE(m_daemon->stop(), 0);
}

void TestLogForgery::claim(qsizetype failures)
{
    std::vector<std::unique_ptr<DtlsClient>> clients;
    for (const QByteArray &identity : nastyTexts()) {
        clients.push_back(std::make_unique<DtlsClient>(
            DtlsClient::Options{.identity = identity, .key = PskKey(testKey), .ciphers = {}}));
        QVERIFY(clients.back()->connectTo(m_server));
    }
    QTRY_VERIFY(output().count("handshake failed: ") >= failures);
    QCOMPARE(m_daemon->stop(), 0);
}

void TestLogForgery::readsAsText()
{
    QVERIFY(output().endsWith('\n'));
    const QRegularExpression beginning(QStringLiteral(
        "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\S* (notice|info|warning) +\\S"));
    for (const QByteArray &line : lines()) {
        QVERIFY2(isPlain(line), line.toPercentEncoding(" ").constData());
        QVERIFY2(beginning.match(QString::fromUtf8(line)).hasMatch(), line.constData());
    }
}

void TestLogForgery::readsAsJson(const QString &event, const QString &field,
                                 QList<QByteArray> values)
{
    QVERIFY(output().endsWith('\n'));
    QList<QByteArray> found;
    for (const QByteArray &line : lines()) {
        QVERIFY2(std::none_of(line.begin(), line.end(), isControl), line.constData());
        const QJsonObject object = QJsonDocument::fromJson(line).object();
        QVERIFY2(!object.isEmpty(), line.constData());
        QVERIFY2(isPlain(object[QStringLiteral("message")].toString().toUtf8()), line.constData());
        if (object[QStringLiteral("event")].toString() == event)
            found << bytesOf(object, field);
    }
    // Two workers, two orders.
    std::sort(found.begin(), found.end());
    std::sort(values.begin(), values.end());
    QCOMPARE(found, values);
}

void TestLogForgery::linesAreTheDaemonsOwn_data()
{
    QTest::addColumn<QString>("target");
    QTest::newRow("in text") << QStringLiteral("text");
    QTest::newRow("in JSON") << QStringLiteral("json");
}

void TestLogForgery::linesAreTheDaemonsOwn()
{
    QFETCH(QString, target);
    start(target, "[identity *]\n");
    if (!QTest::currentTestFailed())
        talk();
    if (QTest::currentTestFailed())
        return;
    const qsizetype identities = nastyTexts().size();
    // A warning about the wildcard, started, stopping; opened, closed and all datagrams of each.
    QCOMPARE(lines().size(), 3 + identities * (2 + nastyPayloads().size()));
    if (target == QStringLiteral("text")) {
        readsAsText();
        return;
    }
    QList<QByteArray> payloads;
    for (qsizetype i = 0; i < identities; ++i)
        payloads += nastyPayloads();
    readsAsJson(QStringLiteral("datagram-received"), QStringLiteral("payload"), payloads);
    readsAsJson(QStringLiteral("session-opened"), QStringLiteral("identity"), nastyTexts());
}

void TestLogForgery::aClaimedIdentityWritesNoLine_data()
{
    linesAreTheDaemonsOwn_data();
}

void TestLogForgery::aClaimedIdentityWritesNoLine()
{
    QFETCH(QString, target);
    const qsizetype identities = nastyTexts().size();
    start(target, "[identity nobody]\n");
    if (!QTest::currentTestFailed())
        claim(identities);
    if (QTest::currentTestFailed())
        return;
    // Started, stopping, the failures; and what the clients repeated when it was too late.
    const qsizetype summaries = output().count(" from unproved sources in ");
    QCOMPARE(lines().size(), 2 + identities + summaries);
    if (target == QStringLiteral("text"))
        readsAsText();
    else
        readsAsJson(QStringLiteral("handshake-failed"), QStringLiteral("claimed_identity"),
                    nastyTexts());
}

DTLSD_TEST(TestLogForgery)
#include "tst_logforgery.moc"
