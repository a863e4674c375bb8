// SPDX-License-Identifier: Apache-2.0
//
// journal-faults.so: libsystemd's journal functions, with the faults of JournalFaults.
#include "support/JournalFaults.h"

#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

using dtlsd::test::JournalFaults;

namespace {

JournalFaults *board()
{
    static JournalFaults *const board = [] {
        const char *path = std::getenv(JournalFaults::variable);
        return path ? JournalFaults::in(path) : nullptr;
    }();
    return board;
}

/// Where the module of @p address begins in memory.
const char *moduleOf(const void *address)
{
    Dl_info module = {};
    return dladdr(address, &module) == 0 ? nullptr : static_cast<const char *>(module.dli_fbase);
}

const char *programBegin()
{
    static const char *const begin =
        moduleOf(reinterpret_cast<const void *>(getauxval(AT_ENTRY))); // NOLINT: the kernel's
    return begin;
}

/// Without a lock: only one thread uses the journal.
std::uint32_t placeOf(JournalFaults &faults, const char *function, const void *caller)
{
    const auto address =
        static_cast<std::uint64_t>(static_cast<const char *>(caller) - programBegin());
    std::uint32_t place = 0;
    while (place < faults.count && faults.places[place].address != address)
        ++place;
    if (place == faults.count && place < faults.places.size()) {
        std::strncpy(faults.places[place].function.data(), function,
                     faults.places[place].function.size() - 1);
        faults.places[place].address = address;
        faults.count = place + 1;
    }
    return place;
}

/// errno of a fault at this place and time, or 0.
int faultAt(const char *function, const void *caller)
{
    JournalFaults *faults = board();
    if (!faults || moduleOf(caller) != programBegin()) // libsystemd calls itself
        return 0;
    const std::uint32_t place = placeOf(*faults, function, caller);
    if (place >= faults->places.size())
        return 0;
    ++faults->places[place].calls;
    for (JournalFaults::Fault &fault : faults->faults) {
        const int error = fault.error;
        if (error == 0 || fault.place != place || JournalFaults::now() >= fault.ends ||
            fault.times <= 0)
            continue;
        --fault.times;
        ++faults->places[place].failures;
        return error;
    }
    return 0;
}

template <class Function, class... Arguments>
int call(const char *name, const void *caller, Arguments... arguments)
{
    if (const int error = faultAt(name, caller))
        return -error;
    const auto real = reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
    return real(arguments...);
}

} // namespace

// NOLINTBEGIN(bugprone-macro-parentheses)
#define DTLSD_STAND_BETWEEN(name, parameters, ...)                                                 \
    extern "C" int name parameters                                                                 \
    {                                                                                              \
        return call<int parameters>(#name, __builtin_return_address(0), __VA_ARGS__);              \
    }
// NOLINTEND(bugprone-macro-parentheses)

DTLSD_STAND_BETWEEN(sd_journal_sendv, (const struct iovec *fields, int count), fields, count)
DTLSD_STAND_BETWEEN(sd_journal_open, (sd_journal * *journal, int flags), journal, flags)
DTLSD_STAND_BETWEEN(sd_journal_get_fd, (sd_journal * journal), journal)
DTLSD_STAND_BETWEEN(sd_journal_process, (sd_journal * journal), journal)
DTLSD_STAND_BETWEEN(sd_journal_add_match,
                    (sd_journal * journal, const void *data, std::size_t size), journal, data, size)
DTLSD_STAND_BETWEEN(sd_journal_seek_head, (sd_journal * journal), journal)
DTLSD_STAND_BETWEEN(sd_journal_seek_cursor, (sd_journal * journal, const char *cursor), journal,
                    cursor)
DTLSD_STAND_BETWEEN(sd_journal_test_cursor, (sd_journal * journal, const char *cursor), journal,
                    cursor)
DTLSD_STAND_BETWEEN(sd_journal_next, (sd_journal * journal), journal)
DTLSD_STAND_BETWEEN(sd_journal_get_data,
                    (sd_journal * journal, const char *field, const void **data, std::size_t *size),
                    journal, field, data, size)
DTLSD_STAND_BETWEEN(sd_journal_get_cursor, (sd_journal * journal, char **cursor), journal, cursor)
