// SPDX-License-Identifier: Apache-2.0
//
// Siege: the daemon with honest devices that send all the time, and an attacker. After the attack,
// it checks that dtlsd has kept all its promises. Needs CAP_NET_RAW.
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
        bool mayDrop = false;  ///< the log may drop entries for lack of room in its queue
    };

    /// Options of a device; the identities are `honest` and `hasty`.
    static DtlsClient::Options device(const QByteArray &identity);

    /// @p config follows the section [log].
    explicit Siege(const QByteArray &config);

    // These use QVERIFY: the caller asks QTest::currentTestFailed().
    void begin();
    /// Stops the daemon, and prints a line of counts.
    void end(const Bounds &bounds);

    /// Sends the attacker's queue, takes the answers to it, lets the devices work.
    void pump(const SpoofedPeers::Look &look = {});
    /// Counts the attacker's datagrams in both directions.
    void countAnswers();
    [[nodiscard]] qint64 elapsed() const { return m_since.elapsed(); }

    /// Half-open handshakes by the statistics, once a second.
    [[nodiscard]] QList<qint64> halfOpenSoFar();
    /// The sum of the numbers before @p words in all events of that name.
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
