// SPDX-License-Identifier: Apache-2.0
//
// Part of every test program: what it tests in-process runs on the TLS backend that dtlsd itself
// takes by default, ours where this build has one.
#include "core/Version.h"
#include "tls/TlsBackend.h"

#include <QCoreApplication>

namespace {

void useTlsBackend()
{
    if (!dtlsd::hasOwnTlsBackend)
        return;
    if (const auto activated = dtlsd::TlsBackend::activate(); !activated)
        qFatal("%s", qPrintable(activated.error().message));
}

} // namespace

Q_COREAPP_STARTUP_FUNCTION(useTlsBackend)
