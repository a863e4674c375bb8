// SPDX-License-Identifier: Apache-2.0
//
// KeptStore: what dtlsd has left of its sessions in a service manager's store, seen from outside as
// bytes in a memfd, and what can be wrong with it when the next process gets it.
#pragma once

#include <QByteArray>

#include <random>
#include <vector>

namespace dtlsd::test::keptstore {

/// What begins the names of what dtlsd keeps there.
inline const QByteArray keptSessions = "dtlsd-kept-sessions-";
inline const QByteArray keptSockets = "dtlsd-kept-udp-";

/// All bytes. @p descriptor stays the caller's, as below.
QByteArray contentOf(int descriptor);
/// Places of bytes that are not 0.
std::vector<qsizetype> usedPlaces(const QByteArray &content);
/// Places of bytes that are not the same.
std::vector<qsizetype> changedPlaces(const QByteArray &before, const QByteArray &after);

/// Flips one bit of the byte at @p place.
void flip(int descriptor, qsizetype place, std::mt19937_64 &random);
/// Overwrites what is there, as far as @p bytes go.
void write(int descriptor, qsizetype place, const QByteArray &bytes);

enum class Sealed { No, AsWanted };
/// A memfd of @p content, extended with zeros to @p size; close-on-exec.
int memoryOf(const QByteArray &content, qint64 size, Sealed sealed);
inline int memoryOf(const QByteArray &content, Sealed sealed = Sealed::AsWanted)
{
    return memoryOf(content, content.size(), sealed);
}
/// The same file, opened once more with @p flags of open(2).
int openedAgain(int descriptor, int flags);
/// A regular file without a name.
int fileOf(const QByteArray &content);
/// The end of a pipe from which @p content can be read; nobody has the other.
int pipeOf(const QByteArray &content);

} // namespace dtlsd::test::keptstore
