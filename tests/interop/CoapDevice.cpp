// SPDX-License-Identifier: Apache-2.0
#include "interop/CoapDevice.h"

#include "support/ChildProcess.h"

#include <QProcessEnvironment>
#include <QRegularExpression>
#include <QStandardPaths>

namespace dtlsd::test {

namespace {

/// Everything that @p command printed before it ended; nothing if it did not.
std::optional<QString> outputOf(const Command &command)
{
    ChildProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("OPENSSL_CONF"),
                       QStringLiteral(DTLSD_SOURCE_DIR "/tests/interop/openssl.cnf"));
    process.setProcessEnvironment(environment);
    if (!process.run(command) || !process.waitForEnd())
        return std::nullopt;
    return QString::fromUtf8(process.readAllStandardOutput());
}

QString firstMatch(const QString &pattern, const QString &text)
{
    return QRegularExpression(pattern).match(text).captured(1);
}

QByteArray hexMatch(const QString &pattern, const QString &text)
{
    return QByteArray::fromHex(firstMatch(pattern, text).toLatin1());
}

/// PUT coaps://server/sensors/room?unit=C, token tb, payload temperature=21.5 (RFC 7252 §3), with
/// the Request-Tag that libcoap 4.3.4 adds (RFC 9175 §3.2), as it is in @p told by the client.
QByteArray putRequest(const QString &told)
{
    const QByteArray typeAndCode = QByteArray::fromHex("5203"); // version 1, NON, token of 2; PUT
    const QByteArray messageId = hexMatch(QStringLiteral("t:NON c:PUT i:([0-9a-f]{4})"), told);
    QByteArray tag = hexMatch(QStringLiteral("Request-Tag:0x([0-9a-f]+)"), told);
    if (!tag.isEmpty())
        tag.prepend(QByteArray(1, static_cast<char>(0xe0 | tag.size())) + '\0' + '\x08');
    return typeAndCode + messageId + "tb" + '\xb7' + "sensors" + '\x04' + "room" + '\x46' +
           "unit=C" + tag + '\xff' + "temperature=21.5";
}

} // namespace

CoapDevice::CoapDevice(QString program)
    : m_program(std::move(program))
{
    const QString usage = outputOf({m_program, {QStringLiteral("-h")}}).value_or(QString());
    m_version = firstMatch(QStringLiteral("v([0-9.]+)"), usage);
}

QString CoapDevice::name() const
{
    return m_program + u' ' + m_version;
}

bool CoapDevice::isAvailable() const
{
    return !QStandardPaths::findExecutable(m_program).isEmpty();
}

QByteArray CoapDevice::replyTemplate() const
{
    return "RDmmtb"; // version 1, NON, token of 2; 2.04 Changed; message ID "mm"; token "tb"
}

Outcome CoapDevice::expected(const QString &suite) const
{
    // libcoap's priority string for GnuTLS is NORMAL with a few more, not this one.
    return m_program == u"coap-client-gnutls" && suite == u"PSK-AES256-CCM8"
               ? Outcome::NothingInCommon
               : Device::expected(suite);
}

Conversation CoapDevice::converse(const Meeting &meeting)
{
    // It counts its token up before the first request: ta becomes tb. -B ends it when no response
    // comes; -v 7 prints what is sent and received; -U leaves out what depends on the server.
    const QStringList arguments{
        QStringLiteral("-N"),
        QStringLiteral("-U"),
        QStringLiteral("-m"),
        QStringLiteral("put"),
        QStringLiteral("-e"),
        QStringLiteral("temperature=21.5"),
        QStringLiteral("-T"),
        QStringLiteral("ta"),
        QStringLiteral("-B"),
        QStringLiteral("5"),
        QStringLiteral("-v"),
        QStringLiteral("7"),
        QStringLiteral("-u"),
        meeting.identity,
        QStringLiteral("-k"),
        QString::fromLatin1(key),
        QStringLiteral("coaps://%1/sensors/room?unit=C").arg(meeting.server.toString())};
    Conversation conversation;
    const auto output = outputOf({m_program, arguments});
    conversation.trouble = output.value_or(QStringLiteral("it does not end"));
    conversation.sent << putRequest(conversation.trouble);
    if (conversation.trouble.contains(QStringLiteral("t:NON c:2.04 i:6d6d {7462}"))) {
        conversation.replies << replyTemplate();
        conversation.outcome = Outcome::Spoke;
    } else if (conversation.trouble.contains(QStringLiteral("Alert '40'"))) { // handshake_failure
        conversation.outcome = Outcome::NothingInCommon;
    }
    return conversation;
}

} // namespace dtlsd::test
