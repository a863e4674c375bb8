// SPDX-License-Identifier: Apache-2.0
//
// CoapServer: libcoap's coap-server without TLS, at a free port of 127.0.0.1, as a service behind
// dtlsd. A PUT makes a resource, which can be observed.
#pragma once

#include "core/SocketAddress.h"
#include "support/ChildProcess.h"

#include <QString>

namespace dtlsd::test {

class CoapServer
{
public:
    static bool isAvailable();

    /// true: it answers.
    [[nodiscard]] bool start();
    [[nodiscard]] SocketAddress address() const { return m_address; }
    /// What it has printed.
    [[nodiscard]] QString log() { return QString::fromUtf8(m_process.readAllStandardOutput()); }

private:
    ChildProcess m_process;
    SocketAddress m_address;
};

} // namespace dtlsd::test
