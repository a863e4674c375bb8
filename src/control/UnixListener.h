// SPDX-License-Identifier: Apache-2.0
//
// UnixListener: a listening stream socket in the file system, for root, this process's user and its
// group (mode 0660). It accepts for as long as it lives: it keeps a descriptor for one connection
// when the process has no other, so that a health check is answered then; what still cannot be
// accepted, for want of descriptors or of memory, waits in the kernel's queue and is tried again.
//
// Not QLocalServer, which closes itself and removes its socket when accept() fails once, for
// whatever reason (Qt 6.4 to 6.8).
#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"

#include <QByteArray>
#include <QObject>
#include <QSocketNotifier>
#include <QString>
#include <QTimer>

#include <functional>
#include <memory>

namespace dtlsd {

class UnixListener : public QObject
{
    Q_OBJECT

public:
    /// Takes each connection, whose descriptor is @p taker's to close.
    explicit UnixListener(std::function<void(int descriptor)> taker);
    /// Removes the socket.
    ~UnixListener() override;

    /// Once per object. Replaces what is at @p path, in one step; whoever finds the socket can
    /// connect.
    Result<> listen(const QString &path);

private:
    Result<> bindAt(const QByteArray &path);
    void keepSpare();
    void accept();
    [[nodiscard]] int acceptOne() const;

    const std::function<void(int)> m_taker;
    QByteArray m_path; // empty: nothing to remove
    Descriptor m_socket;
    Descriptor m_spare; // its number is for a connection; none while one has it
    std::unique_ptr<QSocketNotifier> m_arrivals;
    QTimer m_pause; // runs while m_arrivals is disabled
};

} // namespace dtlsd
