// SPDX-License-Identifier: Apache-2.0
//
// UnixListener: a listening stream socket in the file system, for root, this process's user and its
// group (mode 0660). It reserves a descriptor for one connection, so that a health check is
// answered even when the process has no other left. Connections that still cannot be accepted, for
// lack of descriptors or memory, wait in the kernel's queue until a retry succeeds.
//
// Not QLocalServer, which closes itself and removes its socket after any failed accept() (Qt 6.4
// to 6.8).
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
    /// @p taker gets the descriptor of each connection, and closes it.
    explicit UnixListener(std::function<void(int descriptor)> taker);
    /// Removes the socket.
    ~UnixListener() override;

    /// Once per object. Replaces a file at @p path in one step; a client that finds the socket can
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
    Descriptor m_spare; // reserves a number for a connection; closed while one has it
    std::unique_ptr<QSocketNotifier> m_arrivals;
    QTimer m_pause; // runs while m_arrivals is disabled
};

} // namespace dtlsd
