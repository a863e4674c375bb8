// SPDX-License-Identifier: Apache-2.0
//
// Mailbox: runs functions in the thread of an event loop, in the order in which they were posted.
// Any thread may post. It uses a mutex and an eventfd(2), not Qt's posted events: one wake-up
// serves any number of functions, and ThreadSanitizer sees the ordering.
#pragma once

#include "core/Descriptor.h"

#include <QSocketNotifier>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace dtlsd {

class Mailbox
{
public:
    using Function = std::function<void()>;

    Mailbox();
    /// Call close() first if the mailbox was opened.
    ~Mailbox() = default;

    /// @p function runs in the event loop of the thread that has opened the mailbox; never, if the
    /// mailbox has been closed.
    void post(Function function);

    // Both in the thread that is to run the functions:
    void open();
    void close() { m_notifier.reset(); }

private:
    void runAll();

    const Descriptor m_descriptor; // an eventfd(2)
    std::unique_ptr<QSocketNotifier> m_notifier;
    std::mutex m_mutex;
    std::vector<Function> m_functions; // guarded by m_mutex
};

} // namespace dtlsd
