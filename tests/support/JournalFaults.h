// SPDX-License-Identifier: Apache-2.0
//
// JournalFaults: makes a daemon's calls of libsystemd fail at places that a test picks.
//
// journal-faults.so, loaded before libsystemd, intercepts the calls. A place is a function and the
// address that it is called from, so a function called from three places counts as three. Test and
// daemon share a file, which outlives daemons; so addresses are relative to the program's start in
// memory.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace dtlsd::test {

struct JournalFaults
{
    static constexpr auto variable = "DTLSD_TEST_JOURNAL_FAULTS"; ///< names the file

    static std::int64_t now()
    {
        timespec time = {};
        static_cast<void>(clock_gettime(CLOCK_MONOTONIC, &time)); // fails only for unknown clocks
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }

    struct Place
    {
        std::array<char, 32> function;
        std::atomic<std::uint64_t> address;
        std::atomic<std::uint32_t> calls;
        std::atomic<std::uint32_t> failures;
    };

    struct Fault
    {
        std::atomic<std::uint32_t> place;
        std::atomic<int> error;         ///< errno; 0: none
        std::atomic<std::int64_t> ends; ///< CLOCK_MONOTONIC, ns
        std::atomic<int> times;         ///< how many calls fail at most

        void set(std::uint32_t where, int what, std::chrono::nanoseconds duration, int most)
        {
            error = 0;
            place = where;
            times = most;
            ends = now() + duration.count();
            error = what;
        }
    };

    std::atomic<std::uint32_t> count; ///< of places that are known
    std::array<Place, 64> places;
    std::array<Fault, 2> faults; ///< at the same time

    /// The first place where @p function is called; count if there is none yet.
    [[nodiscard]] std::uint32_t placeOf(std::string_view function) const
    {
        std::uint32_t place = 0;
        while (place < count && function != places[place].function.data())
            ++place;
        return place;
    }

    /// The JournalFaults in the file @p path, which is created if needed; nullptr on failure.
    static JournalFaults *in(const char *path)
    {
        const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0)
            return nullptr;
        void *memory = MAP_FAILED;
        if (ftruncate(descriptor, sizeof(JournalFaults)) == 0)
            memory = mmap(nullptr, sizeof(JournalFaults), PROT_READ | PROT_WRITE, MAP_SHARED,
                          descriptor, 0);
        close(descriptor);
        return memory == MAP_FAILED ? nullptr : static_cast<JournalFaults *>(memory);
    }
};

} // namespace dtlsd::test
