// SPDX-License-Identifier: Apache-2.0
#include "DtlsctlTest.h"

#include "support/ControlAnswers.h"

using namespace Qt::StringLiterals;

namespace dtlsd::test {

void DtlsctlTest::begin()
{
    m_control = std::make_unique<FakeControl>();
}

DtlsctlTest::Outcome DtlsctlTest::outcomeOf(ChildProcess &process)
{
    Outcome outcome;
    if (process.waitForEnd() && process.exitStatus() == QProcess::NormalExit)
        outcome.status = process.exitCode();
    outcome.output = process.readAllStandardOutput();
    outcome.errors = process.readAllStandardError();
    return outcome;
}

DtlsctlTest::Outcome DtlsctlTest::run(const QStringList &arguments, const QByteArray &input)
{
    ChildProcess process;
    if (!process.run({QStringLiteral(DTLSCTL_BINARY), arguments}))
        return {};
    process.write(input);
    process.closeWriteChannel();
    return outcomeOf(process);
}

DtlsctlTest::Outcome DtlsctlTest::ask(const QStringList &arguments)
{
    return run(QStringList{u"--socket"_s, m_control->path()} + arguments);
}

Command DtlsctlTest::watch(const QStringList &arguments) const
{
    return {QStringLiteral(DTLSCTL_BINARY),
            QStringList{u"--socket"_s, m_control->path(), u"--watch"_s} + arguments};
}

QByteArray DtlsctlTest::sessions(int number)
{
    return (sessionLine + '\n').repeated(number) + R"({"ok":true,"sessions":)" +
           QByteArray::number(number) + "}\n";
}

QByteArray DtlsctlTest::refusal(const QByteArray &code, const QByteArray &error)
{
    return R"({"ok":false,"code":")" + code + R"(","error":")" + error + "\"}\n";
}

} // namespace dtlsd::test
