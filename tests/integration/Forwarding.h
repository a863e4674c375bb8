// SPDX-License-Identifier: Apache-2.0
//
// Forwarding: systemd-journal-upload and systemd-journal-remote on one machine, run as their units
// run them. Where they listen and send is what their configuration in the machine's /etc says,
// but for the port, which is free.
#pragma once

#include "InstalledMachine.h"

#include <memory>

namespace dtlsd::test {

class Forwarding
{
public:
    explicit Forwarding(InstalledMachine &machine);

    [[nodiscard]] quint16 port() const { return m_port; }
    /// true: it accepts connections.
    [[nodiscard]] bool startCollector();
    [[nodiscard]] bool startSender();
    [[nodiscard]] bool stopSender();

    /// Entries about devices that have arrived, as soon as they are @p count.
    [[nodiscard]] QList<QJsonObject> entries(qsizetype count,
                                             QDeadlineTimer deadline = QDeadlineTimer(patience));
    /// What the two have said.
    [[nodiscard]] QByteArray errorText();

private:
    /// With the rights that setpriv(1) gives by @p as.
    [[nodiscard]] std::unique_ptr<ChildProcess> startUnit(const QString &unit, const QString &as);

    InstalledMachine &m_machine;
    const quint16 m_port;
    std::unique_ptr<ChildProcess> m_collector;
    std::unique_ptr<ChildProcess> m_sender;
};

} // namespace dtlsd::test
