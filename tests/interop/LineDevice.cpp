// SPDX-License-Identifier: Apache-2.0
#include "interop/LineDevice.h"

#include <QVersionNumber>

namespace dtlsd::test {

namespace {

using Kind = ClientProcess::Kind;

const QString ecdhe = QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305");

QString program(Kind kind)
{
    switch (kind) {
    case Kind::OpenSsl:
        return QStringLiteral("openssl s_client");
    case Kind::GnuTls:
        return QStringLiteral("gnutls-cli");
    case Kind::MbedTls:
        return QStringLiteral("Mbed TLS");
    case Kind::WolfSsl:
        break;
    }
    return QStringLiteral("wolfSSL");
}

} // namespace

LineDevice::LineDevice(Kind kind, Groups groups)
    : m_kind(kind)
    , m_groups(groups)
    , m_version(ClientProcess::version(kind).section(u' ', -1))
{
}

QString LineDevice::name() const
{
    const QString groups = m_kind != Kind::WolfSsl    ? QString()
                           : m_groups == Groups::Tame ? QStringLiteral(", P-256 alone")
                                                      : QStringLiteral(", its own groups");
    return program(m_kind) + u' ' + m_version + groups;
}

Outcome LineDevice::expected(const QString &suite) const
{
    const auto version = QVersionNumber::fromString(m_version);
    // It asked for the PSK user name, which a client of ECDHE-PSK does not have.
    if (m_kind == Kind::GnuTls && suite == ecdhe && version < QVersionNumber(3, 8))
        return Outcome::Crashed;
    if (m_kind == Kind::WolfSsl && m_groups == Groups::Own && (suite.isEmpty() || suite == ecdhe) &&
        version < QVersionNumber(5, 7))
        return Outcome::RefusedKeyShare;
    // Debian builds it without WOLFSSL_STATIC_PSK; these two it has nonetheless.
    if (m_kind == Kind::WolfSsl && suite != ecdhe && suite != u"PSK-CHACHA20-POLY1305")
        return Outcome::LacksSuite;
    return Device::expected(suite);
}

QString LineDevice::spelling(const CipherSuite &suite) const
{
    switch (m_kind) {
    case Kind::GnuTls:
        return suite.gnuTls;
    case Kind::MbedTls:
        return suite.mbedTls;
    case Kind::OpenSsl: // since 3.2 its level 1 leaves out the suites with a short tag
        return suite.name.endsWith(u"CCM8") ? suite.name + QStringLiteral(":@SECLEVEL=0")
                                            : suite.name;
    case Kind::WolfSsl:
        break;
    }
    return suite.name;
}

Outcome LineDevice::failure(ClientProcess &client) const
{
    if (!client.process().waitForEnd())
        return Outcome::Failed;
    if (client.process().exitStatus() == QProcess::CrashExit)
        return Outcome::Crashed;
    if (client.errorText().contains(QStringLiteral("the library lacks suite")))
        return Outcome::LacksSuite;
    if (client.errorText().contains(QStringLiteral("Bad ECC Peer Key")))
        return Outcome::RefusedKeyShare;
    return Outcome::Failed;
}

Conversation LineDevice::converse(const Meeting &meeting)
{
    auto client =
        std::make_unique<ClientProcess>(ClientProcess::Options{.kind = m_kind,
                                                               .server = meeting.server,
                                                               .identity = meeting.identity,
                                                               .key = key,
                                                               .cipher = spelling(meeting.suite),
                                                               .arguments = {}});
    if (m_groups == Groups::Own)
        client->setEnvironment(QStringLiteral("WOLFSSL_OWN_GROUPS"), QStringLiteral("1"));
    Conversation conversation;
    const bool connected = client->connectToServer();
    const QByteArray end = m_kind == Kind::OpenSsl || m_kind == Kind::GnuTls ? "\n" : "";
    for (const QByteArray line : {"temperature=21.5", "humidity=40", "door=shut"}) {
        const auto reply = connected ? client->exchange(line) : std::nullopt;
        if (!reply)
            break;
        conversation.sent << line + end;
        conversation.replies << reply->trimmed();
    }
    client->process().closeWriteChannel();
    conversation.outcome = conversation.replies.size() == 3 ? Outcome::Spoke : failure(*client);
    conversation.trouble = client->errorText();
    if (conversation.outcome == Outcome::Spoke)
        m_leaving[meeting.identity] = std::move(client);
    return conversation;
}

QStringList LineDevice::seeOff()
{
    QStringList failed;
    for (const auto &[identity, client] : m_leaving) {
        if (client->close() != 0)
            failed << identity;
    }
    m_leaving.clear();
    return failed;
}

} // namespace dtlsd::test
