// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Capture.h"

#include <cstdio>

#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

namespace dtlsd::fuzz {

namespace {

Capture *theCurrent = nullptr;

} // namespace

Capture::Capture(const Screen &onScreen)
    : screen(onScreen)
{
    theCurrent = this;
}

Capture::~Capture()
{
    theCurrent = nullptr;
}

Capture *Capture::current()
{
    return theCurrent;
}

} // namespace dtlsd::fuzz

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's
extern "C" {

int __real_isatty(int descriptor);
int __real_ioctl(int descriptor, unsigned long request, void *argument);
ssize_t __real_write(int descriptor, const void *bytes, size_t size);
size_t __real_fwrite(const void *bytes, size_t size, size_t count, std::FILE *stream);

int __wrap_isatty(int descriptor)
{
    const auto *capture = dtlsd::fuzz::Capture::current();
    return capture ? int{capture->screen.isTerminal} : __real_isatty(descriptor);
}

int __wrap_ioctl(int descriptor, unsigned long request, void *argument)
{
    const auto *capture = dtlsd::fuzz::Capture::current();
    if (!capture || request != TIOCGWINSZ)
        return __real_ioctl(descriptor, request, argument);
    auto &size = *static_cast<winsize *>(argument);
    size.ws_col = static_cast<unsigned short>(capture->screen.columns);
    size.ws_row = static_cast<unsigned short>(capture->screen.rows);
    return 0;
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    auto *capture = dtlsd::fuzz::Capture::current();
    if (!capture || descriptor != STDOUT_FILENO)
        return __real_write(descriptor, bytes, size);
    capture->output.append(static_cast<const char *>(bytes), static_cast<qsizetype>(size));
    return static_cast<ssize_t>(size);
}

size_t __wrap_fwrite(const void *bytes, size_t size, size_t count, std::FILE *stream)
{
    auto *capture = dtlsd::fuzz::Capture::current();
    if (!capture || (stream != stdout && stream != stderr))
        return __real_fwrite(bytes, size, count, stream);
    QByteArray &taken = stream == stdout ? capture->output : capture->errors;
    const size_t total = size * count;
    taken.append(static_cast<const char *>(bytes), static_cast<qsizetype>(total));
    return count;
}

} // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
