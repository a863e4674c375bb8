// SPDX-License-Identifier: Apache-2.0
//
// Siege: the daemon with honest devices that talk all the time, and an attacker beside them. When
// the attack is over, it looks whether all that was promised was kept. Needs CAP_NET_RAW.
#pragma once

#include "support/DaemonLog.h"
#include "support/HonestFleet.h"
#include "support/ProcessUsage.h"
#include "support/SpoofedPeers.h"

#include <QElapsedTimer>
#include <QList>

#include <memory>

namespace dtlsd::test {

class Siege
{
public:
    static constexpr int honestDevices = 20;
    static constexpr int workers = 2;
    static constexpr int batch = 64; // datagrams of an attack between two looks at the devices

    struct Bounds
    {
        qint64 memory = 4096;  ///< KiB more than before, at the peak
        bool isProved = false; ///< the attacker may get more bytes than it sent
        bool mayDrop = false;  ///< entries, for want of room in the log's queue
    };

    /// What each device needs to get in; besides `honest` there is the identity `hasty`.
    static DtlsClient::Options device(const QByteArray &identity);

    /// @p config follows the section [log].
    explicit Siege(const QByteArray &config);

    // These end the test function's success with QVERIFY: QTest::currentTestFailed() tells.
    void begin();
    /// Stops the daemon, and prints a line of what was counted.
    void end(const Bounds &bounds);

    /// Sends what the attacker has queued, takes its answers, lets the devices work.
    void pump(const SpoofedPeers::Look &look = {});
    /// What the attacker has sent and got.
    void countAnswers();
    [[nodiscard]] qint64 elapsed() const { return m_since.elapsed(); }

    /// From the statistics, once a second.
    [[nodiscard]] QList<qint64> halfOpenSoFar();
    /// The number in front of @p words in all events of that name, added up.
    [[nodiscard]] qint64 sumOf(const QString &event, const QString &words);

private:
    void reportUsage(const ProcessUsage &usage, qint64 lasted) const;
    void aNewDeviceGetsIn();
    void messagesAreLoggedAsTheyWereSent();
    void logIsBounded();

    DaemonProcess m_daemon;
    QElapsedTimer m_since;
    qint64 m_memoryBefore = 0;
    qsizetype m_descriptors = 0;

public:
    DaemonLog log;
    HonestFleet honest;
    std::unique_ptr<SpoofedPeers> attacker; // from begin()
    SpoofedPeers::Tally sent;
    SpoofedPeers::Tally answered;
};

} // namespace dtlsd::test
