// SPDX-License-Identifier: Apache-2.0
#include "interop/CoapClient.h"

#include <QFile>
#include <QRegularExpression>
#include <QStandardPaths>

#include <csignal>

namespace dtlsd::test {

bool CoapClient::isAvailable(const QString &program)
{
    return !QStandardPaths::findExecutable(program).isEmpty();
}

CoapClient::CoapClient(Options options)
    : m_options(std::move(options))
{
    m_process.setProcessChannelMode(QProcess::MergedChannels);
}

bool CoapClient::launch()
{
    // -U leaves out what depends on the server; -T makes tokens the same in each run; -v 7 prints
    // what is sent and received.
    QStringList arguments{QStringLiteral("-U"),
                          QStringLiteral("-T"),
                          QStringLiteral("ta"),
                          QStringLiteral("-v"),
                          QStringLiteral("7"),
                          QStringLiteral("-o"),
                          m_folder.filePath(QStringLiteral("body"))};
    QString scheme = QStringLiteral("coap");
    if (!m_options.identity.isEmpty()) {
        scheme = QStringLiteral("coaps");
        arguments << QStringLiteral("-u") << m_options.identity << QStringLiteral("-k")
                  << QString::fromLatin1(m_options.key);
    }
    arguments += m_options.arguments;
    arguments
        << QStringLiteral("%1://%2/%3").arg(scheme, m_options.server.toString(), m_options.path);
    return m_process.run({m_options.program, arguments});
}

bool CoapClient::run(QDeadlineTimer deadline)
{
    return launch() && finish(deadline);
}

bool CoapClient::finish(QDeadlineTimer deadline)
{
    return m_process.waitForEnd(deadline) && m_process.exitStatus() == QProcess::NormalExit &&
           m_process.exitCode() == 0;
}

bool CoapClient::interrupt()
{
    m_process.sendSignal(SIGINT);
    return finish();
}

QStringList CoapClient::answers()
{
    static const QRegularExpression answer(
        QStringLiteral(R"( (?:recv|received) +\d+ bytes\n(v:1 t:\w+ c:\S+ )i:[0-9a-f]{4} (.*)$)"),
        QRegularExpression::MultilineOption);
    QStringList answers;
    for (const QRegularExpressionMatch &match : answer.globalMatch(log()))
        answers << match.captured(1) + match.captured(2);
    // The server counts its large responses.
    static const QRegularExpression tag(QStringLiteral("ETag:0x[0-9a-f]+"));
    answers.replaceInStrings(tag, QStringLiteral("ETag"));
    answers.removeDuplicates();
    return answers;
}

int CoapClient::repetitions()
{
    return static_cast<int>(log().count(QStringLiteral(": retransmission #")));
}

QByteArray CoapClient::body() const
{
    QFile file(m_folder.filePath(QStringLiteral("body")));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString CoapClient::log()
{
    m_log += m_process.readAllStandardOutput();
    return QString::fromUtf8(m_log);
}

} // namespace dtlsd::test
