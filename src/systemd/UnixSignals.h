// SPDX-License-Identifier: Apache-2.0
//
// UnixSignals: delivers Unix signals as Qt signals from the event loop, where any function may be
// called. No handler runs (signal-safety(7)), and a process that is PID 1 of a container, where
// default actions do not apply, still receives SIGTERM.
#pragma once

#include "core/Descriptor.h"

#include <QObject>

#include <initializer_list>

#include <signal.h>

class QSocketNotifier;

namespace dtlsd {

/// Makes a write to a pipe or socket without a reader fail with EPIPE, and one past the limit for
/// files (RLIMIT_FSIZE) with EFBIG, instead of ending the process. For the whole process and for
/// good.
void ignoreWriteSignals();

class UnixSignals : public QObject
{
    Q_OBJECT

public:
    /// Blocks @p numbers in this thread and in threads that it starts later, and watches for them.
    /// Create it after QCoreApplication and before any thread: a signal that one thread does not
    /// block ends the process. If signalfd(2) fails, the default actions stay in force.
    explicit UnixSignals(std::initializer_list<int> numbers, QObject *parent = nullptr);
    /// Discards pending signals, as the event loop has ended, and restores the mask.
    ~UnixSignals() override;

Q_SIGNALS:
    /// Once per signal, but the kernel merges equal signals not yet delivered.
    void received(int number);

private:
    void onReadable();

    sigset_t m_previousMask = {};
    Descriptor m_descriptor; // a signalfd(2)
};

} // namespace dtlsd
