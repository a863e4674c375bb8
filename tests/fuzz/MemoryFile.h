// SPDX-License-Identifier: Apache-2.0
//
// MemoryFile: a file that only its owner may read, with a path and without a disk
// (memfd_create(2)).
#pragma once

#include <QByteArrayView>
#include <QString>

namespace dtlsd::fuzz {

class MemoryFile
{
public:
    explicit MemoryFile(QByteArrayView content = {});
    ~MemoryFile();
    MemoryFile(const MemoryFile &) = delete;
    MemoryFile &operator=(const MemoryFile &) = delete;

    /// Replaces what is in it.
    void write(QByteArrayView content);
    /// Opens it anew, each time, for this process.
    [[nodiscard]] QString path() const;

private:
    int m_descriptor;
};

} // namespace dtlsd::fuzz
