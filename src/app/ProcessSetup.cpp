// SPDX-License-Identifier: Apache-2.0
#include "app/ProcessSetup.h"

#include "systemd/UnixSignals.h"

#include <QtGlobal>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace dtlsd {

namespace {

/// Open for reading alone: writing there stays the error that it was, and is noticed.
void occupyStandardDescriptors()
{
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool isClosed = ::fcntl(number, F_GETFD) < 0;
        if (isClosed && ::open("/dev/null", O_RDONLY) != number) // the lowest that is free
            throw std::system_error(errno, std::generic_category(),
                                    "/dev/null cannot take the place of a closed descriptor");
    }
}

} // namespace

void setUpProcess()
{
    occupyStandardDescriptors();
    // A service manager's sandbox may forbid this call, having made it already (LimitCORE=0).
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) // LeakSanitizer has to attach to its own process
    prctl(PR_SET_DUMPABLE, 0);
#endif
    ignoreBrokenPipes();
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
}

} // namespace dtlsd
