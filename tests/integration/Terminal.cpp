// SPDX-License-Identifier: Apache-2.0
#include "Terminal.h"

#include "InstalledMachine.h"

#include <QRegularExpression>

namespace dtlsd::test {

Terminal::Terminal(const InstalledMachine &machine)
{
    if (!m_shell.run(machine.shell(QStringLiteral("exec bash 2>&1"))))
        qFatal("no shell: %s", qPrintable(m_shell.errorString()));
}

Terminal::~Terminal()
{
    m_shell.write("kill $(jobs -p)\nwait\n");
    m_shell.closeWriteChannel();
    m_shell.waitForEnd();
}

bool Terminal::type(const QString &command)
{
    static const QRegularExpression end(QStringLiteral("ended with (\\d+)\n"));
    m_output.clear();
    m_shell.write(command.toUtf8() + "\necho ended with $?\n");
    QRegularExpressionMatch match;
    const auto hasEnded = [&] {
        m_output += m_shell.readAllStandardOutput();
        match = end.match(QString::fromUtf8(m_output));
        return match.hasMatch();
    };
    if (!waitUntil(hasEnded, QDeadlineTimer(patience)))
        return false;
    m_output.replace(match.captured().toUtf8(), QByteArray());
    return match.captured(1) == u'0';
}

QStringList Terminal::lines()
{
    m_output += m_shell.readAllStandardOutput();
    return QString::fromUtf8(m_output).split(u'\n', Qt::SkipEmptyParts);
}

QStringList Terminal::lines(qsizetype count)
{
    waitUntil([&] { return lines().size() >= count; }, QDeadlineTimer(patience));
    return lines();
}

} // namespace dtlsd::test
