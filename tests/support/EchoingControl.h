// SPDX-License-Identifier: Apache-2.0
//
// For a ControlServer without a daemon: limits, and answers that repeat the request.
#pragma once

#include "control/ControlServer.h"

#include <QByteArray>

#include <chrono>

namespace dtlsd::test {

inline constexpr ControlServer::Limits brief{
    .connections = 3, .request = 64, .patience = std::chrono::milliseconds(100)};
inline constexpr ControlServer::Limits patient{
    .connections = 3, .request = 64, .patience = std::chrono::seconds(30)};

/// More than the kernel buffers for a client that does not read.
inline const QByteArray largeAnswer = QByteArray(8'000'000, 'x') + '\n';

/// Echoes requests; `large` gets the large answer.
inline void echo(const QByteArray &request, const Reply &reply)
{
    reply(request == "large" ? largeAnswer : "you said " + request + '\n');
}

} // namespace dtlsd::test
