// SPDX-License-Identifier: Apache-2.0
//
// Contestant: a program that gets ready, is let go, and says how it went in a JSON object.
#pragma once

#include "core/Result.h"
#include "support/ChildProcess.h"

#include <QByteArray>
#include <QJsonObject>

namespace dtlsd::bench {

class Contestant
{
public:
    /// It is ready when this returns.
    [[nodiscard]] Result<> prepare(const test::Command &command, const QByteArray &input = {});
    /// It still runs when this returns.
    [[nodiscard]] Result<QJsonObject> go();

    [[nodiscard]] qint64 processId() const { return m_process.processId(); }

private:
    [[nodiscard]] Result<QByteArray> line();

    test::ChildProcess m_process;
};

} // namespace dtlsd::bench
