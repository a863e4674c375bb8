// SPDX-License-Identifier: Apache-2.0
#include "KeptStore.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dtlsd::test::keptstore {

namespace {

int orDie(int result, const char *what)
{
    if (result < 0)
        qFatal("%s: %s", what, std::strerror(errno));
    return result;
}

} // namespace

QByteArray contentOf(int descriptor)
{
    struct stat file = {};
    orDie(fstat(descriptor, &file), "fstat");
    QByteArray content(file.st_size, '\0');
    const ssize_t size = pread(descriptor, content.data(), std::size_t(content.size()), 0);
    if (size != content.size())
        qFatal("a store cannot be read");
    return content;
}

std::vector<qsizetype> usedPlaces(const QByteArray &content)
{
    return changedPlaces(QByteArray(content.size(), '\0'), content);
}

std::vector<qsizetype> changedPlaces(const QByteArray &before, const QByteArray &after)
{
    std::vector<qsizetype> places;
    for (qsizetype i = 0; i < std::min(before.size(), after.size()); ++i) {
        if (before[i] != after[i])
            places.push_back(i);
    }
    return places;
}

void flip(int descriptor, qsizetype place, std::mt19937_64 &random)
{
    char byte = 0;
    if (pread(descriptor, &byte, 1, place) != 1)
        qFatal("a store has no byte %lld", static_cast<long long>(place));
    byte = static_cast<char>(byte ^ (1 << random() % 8));
    write(descriptor, place, QByteArray(1, byte));
}

void write(int descriptor, qsizetype place, const QByteArray &bytes)
{
    if (pwrite(descriptor, bytes.constData(), std::size_t(bytes.size()), place) != bytes.size())
        qFatal("a store cannot be written: %s", std::strerror(errno));
}

int memoryOf(const QByteArray &content, qint64 size, Sealed sealed)
{
    const int descriptor =
        orDie(memfd_create("damaged", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    orDie(ftruncate(descriptor, size), "ftruncate");
    write(descriptor, 0, content);
    if (sealed == Sealed::AsWanted)
        orDie(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
              "F_ADD_SEALS");
    return descriptor;
}

int openedAgain(int descriptor, int flags)
{
    const QByteArray path = "/proc/self/fd/" + QByteArray::number(descriptor);
    return orDie(open(path.constData(), flags | O_CLOEXEC), "open");
}

int fileOf(const QByteArray &content)
{
    const int descriptor = orDie(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "O_TMPFILE");
    write(descriptor, 0, content);
    return descriptor;
}

int pipeOf(const QByteArray &content)
{
    int ends[2] = {};
    orDie(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
    const QByteArray some = content.first(std::min<qsizetype>(content.size(), 4096));
    if (::write(ends[1], some.constData(), std::size_t(some.size())) != some.size())
        qFatal("a pipe cannot be written");
    close(ends[1]);
    return ends[0];
}

} // namespace dtlsd::test::keptstore
