// SPDX-License-Identifier: Apache-2.0
#include "support/StoppedThread.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <sys/ptrace.h>
#include <sys/wait.h>

namespace dtlsd::test {

namespace {

/// 0: there is no such thread.
pid_t threadOf(pid_t process, std::string_view name)
{
    const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
    std::error_code problem; // it may end meanwhile
    for (const auto &task : std::filesystem::directory_iterator(tasks, problem)) {
        std::string found;
        std::getline(std::ifstream(task.path() / "comm"), found);
        if (found == name)
            return static_cast<pid_t>(std::stol(task.path().filename()));
    }
    return 0;
}

} // namespace

StoppedThread::StoppedThread(pid_t process, std::string_view name)
    : m_thread(threadOf(process, name))
{
    m_isStopped = m_thread != 0 && ptrace(PTRACE_SEIZE, m_thread, nullptr, nullptr) == 0 &&
                  ptrace(PTRACE_INTERRUPT, m_thread, nullptr, nullptr) == 0 &&
                  waitpid(m_thread, nullptr, __WALL) == m_thread;
}

bool StoppedThread::hasEnded()
{
    int status = 0;
    if (m_isStopped && waitpid(m_thread, &status, __WALL | WNOHANG) == m_thread)
        m_isStopped = WIFSTOPPED(status);
    return m_thread != 0 && !m_isStopped;
}

StoppedThread::~StoppedThread()
{
    // A killed thread remains until its tracer has seen its end.
    if (m_isStopped && ptrace(PTRACE_DETACH, m_thread, nullptr, nullptr) != 0)
        waitpid(m_thread, nullptr, __WALL);
}

} // namespace dtlsd::test
