// SPDX-License-Identifier: Apache-2.0
//
// TalkingServer: a socket at which whoever connects is told the same, whatever is asked. It needs
// no event loop, as those who ask have none while they wait.
#pragma once

#include <QByteArray>
#include <QString>
#include <QTemporaryDir>

#include <thread>

namespace dtlsd::fuzz {

class TalkingServer
{
public:
    TalkingServer();
    ~TalkingServer();
    TalkingServer(const TalkingServer &) = delete;
    TalkingServer &operator=(const TalkingServer &) = delete;

    [[nodiscard]] QString path() const { return m_path; }
    /// To the one who connects next; then the connection ends.
    void say(const QByteArray &answer);
    /// Waits until that is done.
    void finish() { m_thread.join(); }

private:
    QTemporaryDir m_directory;
    QString m_path;
    int m_descriptor;
    std::thread m_thread;
};

} // namespace dtlsd::fuzz
