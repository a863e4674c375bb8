// SPDX-License-Identifier: Apache-2.0
//
// StoppedThread: stops one thread of another process, and none of its others, as SIGSTOP would; it
// goes on when this object ends. By ptrace(2), which root may do.
#pragma once

#include <string_view>

#include <sys/types.h>

namespace dtlsd::test {

class StoppedThread
{
public:
    /// The thread called @p name (`worker-0`, `log`) of @p process. To be ended in the thread that
    /// made it.
    StoppedThread(pid_t process, std::string_view name);
    StoppedThread(const StoppedThread &) = delete;
    StoppedThread &operator=(const StoppedThread &) = delete;
    ~StoppedThread();

    /// false: there is no such thread, or we may not; or hasEnded().
    [[nodiscard]] bool isStopped() const { return m_isStopped; }
    /// Of one that was stopped: whether it was killed. It, and so its process, is not gone before
    /// this was asked.
    [[nodiscard]] bool hasEnded();

private:
    const pid_t m_thread; // 0: none
    bool m_isStopped = false;
};

} // namespace dtlsd::test
