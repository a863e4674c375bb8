// SPDX-License-Identifier: Apache-2.0
//
// UnixSignals: signals of the operating system as Qt signals, in the event loop, where everything
// may be called. No handler runs (signal-safety(7)), and as PID 1 of a container, which has no
// default actions, the process still hears SIGTERM.
#pragma once

#include "core/Descriptor.h"

#include <QObject>

#include <initializer_list>

#include <signal.h>

class QSocketNotifier;

namespace dtlsd {

/// Lets a write to a pipe or socket that nobody reads fail with EPIPE instead of ending the
/// process. For the whole process and for good.
void ignoreBrokenPipes();

class UnixSignals : public QObject
{
    Q_OBJECT

public:
    /// Blocks @p numbers in this thread and in those that it makes from now on, and watches for
    /// them. To be made after QCoreApplication and before any thread: one that does not block a
    /// signal would be killed by it. When signalfd(2) fails, the default actions stay in force.
    explicit UnixSignals(std::initializer_list<int> numbers, QObject *parent = nullptr);
    /// Forgets what is pending, which is for a loop that runs no longer, and restores the mask.
    ~UnixSignals() override;

Q_SIGNALS:
    /// Once for each time, except that the kernel merges equal signals not yet delivered.
    void received(int number);

private:
    void onReadable();

    sigset_t m_previousMask = {};
    Descriptor m_descriptor; // a signalfd(2)
};

} // namespace dtlsd
