// SPDX-License-Identifier: Apache-2.0
//
// hold-thread PROCESS NAME: stops one thread of that name in a process, and no other, for as long
// as this program runs. SIGSTOP would stop them all. Says "held" once it stands.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace {

/// 0: there is none.
pid_t threadOf(std::string_view process, std::string_view name)
{
    const std::filesystem::path tasks = std::filesystem::path("/proc") / process / "task";
    for (const auto &task : std::filesystem::directory_iterator(tasks)) {
        std::string found;
        std::getline(std::ifstream(task.path() / "comm"), found);
        const std::string id = task.path().filename();
        if (found == name && id != process)
            return static_cast<pid_t>(std::stol(id));
    }
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    const pid_t thread = threadOf(argv[1], argv[2]);
    if (thread == 0) {
        (void)std::fprintf(stderr, "process %s has no thread %s\n", argv[1], argv[2]);
        return 1;
    }
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
        ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 ||
        waitpid(thread, nullptr, __WALL) != thread) {
        std::perror("hold-thread");
        return 1;
    }
    std::puts("held");
    (void)std::fflush(stdout);
    // A thread that is traced is not gone before its tracer has seen its end.
    int status = 0;
    while (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status)) {
    }
    return 0;
}
