// SPDX-License-Identifier: Apache-2.0
//
// DtlsctlTest: runs dtlsctl for a test, against a control socket that says what it is told to.
#pragma once

#include "support/ChildProcess.h"
#include "support/FakeControl.h"

#include <QByteArray>
#include <QObject>
#include <QStringList>

#include <memory>

namespace dtlsd::test {

class DtlsctlTest : public QObject
{
protected:
    struct Outcome
    {
        int status = -1;
        QByteArray output;
        QByteArray errors;
    };

    /// Another socket, for a test function.
    void begin();
    static Outcome run(const QStringList &arguments, const QByteArray &input = {});
    /// As run(), with the socket.
    Outcome ask(const QStringList &arguments);
    static Outcome outcomeOf(ChildProcess &process);
    /// dtlsctl --watch, with the socket.
    [[nodiscard]] Command watch(const QStringList &arguments) const;

    /// The answer that lists so many sessions.
    static QByteArray sessions(int number);
    static QByteArray refusal(const QByteArray &code, const QByteArray &error);

    std::unique_ptr<FakeControl> m_control;
};

} // namespace dtlsd::test
