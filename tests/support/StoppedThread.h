// SPDX-License-Identifier: Apache-2.0
//
// StoppedThread: stops only one thread of another process, by ptrace(2), which takes root; the
// thread goes on when this object ends.
#pragma once

#include <string_view>

#include <sys/types.h>

namespace dtlsd::test {

class StoppedThread
{
public:
    /// Stops the thread @p name (`worker-0`, `log`) of @p process. Destroy this object in the
    /// thread that created it.
    StoppedThread(pid_t process, std::string_view name);
    StoppedThread(const StoppedThread &) = delete;
    StoppedThread &operator=(const StoppedThread &) = delete;
    ~StoppedThread();

    /// false: there is no such thread, or we may not; or hasEnded().
    [[nodiscard]] bool isStopped() const { return m_isStopped; }
    /// Whether the stopped thread was killed. Until this is called, the thread, and so its process,
    /// remains as a zombie.
    [[nodiscard]] bool hasEnded();

private:
    const pid_t m_thread; // 0: none
    bool m_isStopped = false;
};

} // namespace dtlsd::test
