// SPDX-License-Identifier: Apache-2.0
//
// LineDevice: a ClientProcess as a Device. Three datagrams up, three receipts down.
#pragma once

#include "interop/Device.h"
#include "support/ClientProcess.h"

#include <map>

namespace dtlsd::test {

class LineDevice : public Device
{
public:
    /// Of wolfSSL: P-256 alone, or what the library offers by itself.
    enum class Groups { Tame, Own };

    explicit LineDevice(ClientProcess::Kind kind, Groups groups = Groups::Tame);

    [[nodiscard]] QString name() const override;
    [[nodiscard]] bool isAvailable() const override { return ClientProcess::isAvailable(m_kind); }
    [[nodiscard]] Outcome expected(const QString &suite) const override;
    [[nodiscard]] Conversation converse(const Meeting &meeting) override;
    [[nodiscard]] QStringList seeOff() override;

private:
    [[nodiscard]] QString spelling(const CipherSuite &suite) const;
    [[nodiscard]] Outcome failure(ClientProcess &client) const;

    ClientProcess::Kind m_kind;
    Groups m_groups;
    QString m_version;
    /// They have said close_notify, and wait for one in answer: up to 2 s, for none comes.
    std::map<QString, std::unique_ptr<ClientProcess>> m_leaving; // by identity
};

} // namespace dtlsd::test
