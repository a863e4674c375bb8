// SPDX-License-Identifier: Apache-2.0
//
// Contestant: a program that prepares, runs on command, and prints its figures as a JSON object.
#pragma once

#include "core/Result.h"
#include "support/ChildProcess.h"

#include <QByteArray>
#include <QJsonObject>

namespace dtlsd::bench {

class Contestant
{
public:
    /// Starts the program; it is ready when this returns.
    [[nodiscard]] Result<> prepare(const test::Command &command, const QByteArray &input = {});
    /// Lets it run, and returns its figures; the process still exists then.
    [[nodiscard]] Result<QJsonObject> go();

    [[nodiscard]] qint64 processId() const { return m_process.processId(); }

private:
    [[nodiscard]] Result<QByteArray> line();

    test::ChildProcess m_process;
};

} // namespace dtlsd::bench
