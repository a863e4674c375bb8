// SPDX-License-Identifier: Apache-2.0
//
// Part of every test program: in-process tests run on the TLS backend that dtlsd takes by default,
// which is ours if this build has it, unless DTLSD_TEST_TLS_BACKEND=qt is in the environment.
#include "tls/TlsBackend.h"

#include <QCoreApplication>

namespace {

void useTlsBackend()
{
    if (!dtlsd::TlsBackend::isBuiltIn() || qEnvironmentVariable("DTLSD_TEST_TLS_BACKEND") == u"qt")
        return;
    if (const auto activated = dtlsd::TlsBackend::activate(); !activated)
        qFatal("%s", qPrintable(activated.error().message));
}

} // namespace

Q_COREAPP_STARTUP_FUNCTION(useTlsBackend)
