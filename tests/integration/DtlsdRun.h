// SPDX-License-Identifier: Apache-2.0
//
// runDtlsd(): dtlsd, from its start to its end.
#pragma once

#include "support/ChildProcess.h"
#include "support/DaemonProcess.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace dtlsd::test {

/// A configuration that is accepted.
inline const QByteArray valid = "[server]\nlisten = 127.0.0.1:0\nworkers = 1\n[psk]\nfile =\n"
                                "[identity a]\nkey = hex:00112233445566778899aabbccddeeff\n";

struct Outcome
{
    int status = -1;
    QString output;
    QString errors;
};

/// @p inChild is called between fork() and exec().
inline Outcome runDtlsd(const QStringList &arguments, const QString &opensslConfig = {},
                        void (*inChild)() = nullptr)
{
    ChildProcess process;
    Outcome outcome;
    if (!opensslConfig.isEmpty()) {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("OPENSSL_CONF"), opensslConfig);
        process.setProcessEnvironment(environment);
    }
    if (inChild)
        process.setChildProcessModifier(inChild);
    if (!process.run({DaemonProcess::program(), arguments}) || !process.waitForEnd())
        return outcome;
    outcome.status = process.exitCode();
    outcome.output = QString::fromUtf8(process.readAllStandardOutput());
    outcome.errors = QString::fromUtf8(process.readAllStandardError());
    return outcome;
}

} // namespace dtlsd::test
