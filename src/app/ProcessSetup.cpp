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
    // A session with a local service needs a descriptor, and nothing here uses select(2), for which
    // the soft limit is so low. A sandbox may forbid this as well; then LimitNOFILE= decides.
    rlimit descriptors{};
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
#if !defined(__SANITIZE_ADDRESS__) // LeakSanitizer has to attach to its own process
    prctl(PR_SET_DUMPABLE, 0);
#endif
    ignoreWriteSignals();
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
}

} // namespace dtlsd
