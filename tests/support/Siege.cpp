// SPDX-License-Identifier: Apache-2.0
#include "support/Siege.h"

#include "support/TestKey.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QTest>

#include <algorithm>

namespace dtlsd::test {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool hasMemoryBounds = false; // sanitizers do not return freed memory
#else
constexpr bool hasMemoryBounds = true;
#endif

QByteArray configuration(const QByteArray &config)
{
    return "[server]\nlisten = 127.0.0.1:0\nworkers = " + QByteArray::number(Siege::workers) +
           "\nreply = echo\n[log]\nstatistics_interval = 1s\n" + config +
           "\n[psk]\nfile =\n[identity honest]\nkey = hex:" + hexKey +
           "\n[identity hasty]\nkey = hex:" + hexKey + "\n";
}

/// The number before @p words; 0 if the message lacks them.
qint64 numberBefore(const QJsonObject &event, const QString &words)
{
    const QRegularExpression pattern(QStringLiteral("(\\d+) ") + words);
    const QString message = event[QStringLiteral("message")].toString();
    return pattern.match(message).captured(1).toLongLong();
}

double megabytes(qint64 kibibytes)
{
    return static_cast<double>(kibibytes) / 1024;
}

} // namespace

DtlsClient::Options Siege::device(const QByteArray &identity)
{
    return {.identity = identity,
            .key = PskKey(testKey),
            .ciphers = CipherPolicy::parse(QStringLiteral("PSK-AES128-GCM-SHA256")).value(),
            .handshakeTimeout = patience};
}

Siege::Siege(const QByteArray &config)
    : m_daemon(configuration(config))
    , log(m_daemon)
    , honest(honestDevices, device("honest"))
{
}

void Siege::begin()
{
    QVERIFY2(log.start(), qPrintable(m_daemon.errorText()));
    attacker = std::move(SpoofedPeers::against(log.address())).value();
    QVERIFY(honest.start(log.address()));
    for (int round = 0; round < 5; ++round) // after this it has all the memory it needs for them
        QVERIFY(honest.goRound());

    const ProcessUsage usage(m_daemon.process().processId());
    m_descriptors = usage.descriptors();
    m_memoryBefore = usage.memory();
    QVERIFY(usage.resetPeak());
    m_since.start();
}

void Siege::pump(const SpoofedPeers::Look &look)
{
    attacker->flush();
    attacker->receive(look);
    QCoreApplication::processEvents();
}

void Siege::countAnswers()
{
    attacker->receive();
    sent = attacker->sent();
    answered = attacker->answered();
}

QList<qint64> Siege::halfOpenSoFar()
{
    QList<qint64> counts;
    for (const QJsonObject &statistics : log.events(QStringLiteral("statistics")))
        counts += numberBefore(statistics, QStringLiteral("half-open"));
    return counts;
}

qint64 Siege::sumOf(const QString &event, const QString &words)
{
    qint64 sum = 0;
    for (const QJsonObject &found : log.events(event))
        sum += numberBefore(found, words);
    return sum;
}

void Siege::reportUsage(const ProcessUsage &usage, qint64 lasted) const
{
    qInfo("%lld sent, %lld answered, %.2f bytes out per byte in; memory before, at the peak and "
          "after: %.1f, %.1f, %.1f MB; %d of %d receipts, %lld ms at the longest; %.1f s",
          static_cast<long long>(sent.datagrams), static_cast<long long>(answered.datagrams),
          static_cast<double>(answered.bytes) /
              static_cast<double>(std::max<std::int64_t>(sent.bytes, 1)),
          megabytes(m_memoryBefore), megabytes(usage.peakMemory()), megabytes(usage.memory()),
          honest.answered(), honest.asked(), static_cast<long long>(honest.longestWait()),
          static_cast<double>(lasted) / 1000);
}

void Siege::end(const Bounds &bounds)
{
    const qint64 lasted = m_since.elapsed();
    QVERIFY(honest.settle());
    const ProcessUsage usage(m_daemon.process().processId());
    reportUsage(usage, lasted);
    QCOMPARE(honest.failures(), 0);
    QCOMPARE(attacker->missed(), 0U);
    if (!bounds.isProved) {
        QVERIFY(answered.bytes <= sent.bytes);
        QVERIFY(attacker->largestRatio() <= 1);
    }
    QCOMPARE(usage.descriptors(), m_descriptors);
    const qint64 growth = usage.peakMemory() - m_memoryBefore;
    if (hasMemoryBounds)
        QVERIFY2(growth <= bounds.memory,
                 qPrintable(QStringLiteral("%1 KiB, allowed %2").arg(growth).arg(bounds.memory)));
    QCOMPARE(log.events(QStringLiteral("session-closed")).size(), 0);
    aNewDeviceGetsIn();
    QCOMPARE(m_daemon.stop(), 0);
    messagesAreLoggedAsTheyWereSent();
    logIsBounded();
    if (!bounds.mayDrop)
        QCOMPARE(log.events(QStringLiteral("entries-dropped")).size(), 0);
}

void Siege::aNewDeviceGetsIn()
{
    DtlsClient client(device("honest"));
    bool heard = false;
    QObject::connect(&client, &DtlsClient::connected, &client,
                     [&] { client.send("a new device"); });
    QObject::connect(&client, &DtlsClient::received, &client,
                     [&](const QByteArray &receipt) { heard = receipt == "a new device"; });
    QVERIFY(client.connectTo(log.address()));
    QVERIFY(waitUntil([&] { return heard; }, QDeadlineTimer(patience)));
}

void Siege::messagesAreLoggedAsTheyWereSent()
{
    const QList<QByteArray> messages = honest.messages();
    const QHash<QByteArray, int> &payloads = log.payloads();
    for (const QByteArray &message : messages)
        QVERIFY2(payloads.contains(message), message.constData());
    qsizetype logged = 0;
    for (auto entry = payloads.cbegin(); entry != payloads.cend(); ++entry)
        logged += entry.key().startsWith("honest ") ? 1 : 0;
    QCOMPARE(logged, messages.size());
    QCOMPARE(log.strayLines(), QList<QByteArray>());
}

void Siege::logIsBounded()
{
    const qint64 seconds = m_since.elapsed() / 1000 + 1;
    const qsizetype failed = log.events(QStringLiteral("handshake-failed")).size();
    QVERIFY2(failed <= workers * (100 + 10 * seconds), qPrintable(QString::number(failed)));
    const qsizetype summaries = log.events(QStringLiteral("unverified-traffic")).size();
    QVERIFY2(summaries <= workers * (2 + seconds / 10), qPrintable(QString::number(summaries)));
    // The first is logged at once, the rest when the session ends.
    const qsizetype complaints = log.events(QStringLiteral("peer-misbehaving")).size();
    QVERIFY2(complaints <= qsizetype{2} * honestDevices, qPrintable(QString::number(complaints)));
}

} // namespace dtlsd::test
