// SPDX-License-Identifier: Apache-2.0
//
// Traffic: devices that talk all the time, whatever is done to the server meanwhile. Each numbers
// its messages, repeats them until they are acknowledged, and begins anew when its session is lost.
// The server has to echo.
#pragma once

#include "core/SocketAddress.h"
#include "support/PersistentDevice.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QList>
#include <QTimer>

#include <chrono>
#include <memory>
#include <vector>

namespace dtlsd::test {

class Traffic
{
public:
    /// @p devices share an identity and its @p key, in hex. Each takes its session for lost after
    /// so many @p repetitions of a message; 0 = never.
    Traffic(const SocketAddress &server, const QByteArray &identity, const QByteArray &key,
            int devices = 4, int repetitions = 3);
    ~Traffic();
    Traffic(const Traffic &) = delete;
    Traffic &operator=(const Traffic &) = delete;

    /// For the handshakes to come.
    void setKey(const QByteArray &key) { m_key = key; }
    /// Each device gets several receipts from now on. false: one did not, for as long as tests
    /// wait.
    [[nodiscard]] bool flows() const;
    /// They say goodbye.
    void stop();

    /// Each message for which there is a receipt.
    [[nodiscard]] QList<QByteArray> acknowledged() const;
    /// Of those, how many are not among @p payloads.
    [[nodiscard]] qsizetype missingIn(const QList<QByteArray> &payloads) const;
    /// All of them.
    [[nodiscard]] int handshakes() const;
    /// The longest time between two receipts, of whichever device, since it was asked last.
    [[nodiscard]] std::chrono::milliseconds longestSilence();

private:
    [[nodiscard]] qsizetype receipts() const;
    void listen();

    QByteArray m_key;
    std::vector<std::unique_ptr<PersistentDevice>> m_devices;
    QTimer m_ear;
    QElapsedTimer m_silent;
    qsizetype m_heard = 0;
    std::chrono::milliseconds m_longest{0};
};

} // namespace dtlsd::test
