// SPDX-License-Identifier: Apache-2.0
#include "app/ProcessSetup.h"

#include "core/Console.h"
#include "systemd/UnixSignals.h"

#include <QtGlobal>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace dtlsd {

void setUpProcess()
{
    occupyStandardStreams();
    // A service manager's sandbox may forbid this call; LimitCORE=0 has made it already.
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) // LeakSanitizer has to attach to its own process
    prctl(PR_SET_DUMPABLE, 0);
#endif
    ignoreWriteSignals();
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
}

} // namespace dtlsd
