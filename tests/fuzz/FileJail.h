// SPDX-License-Identifier: Apache-2.0
//
// FileJail: all the files that a program linked with --wrap=open, open64, stat and stat64 finds
// while a Stay lasts, so that a fuzzed path cannot lead anywhere. They are memory files; any other
// path is not there. At all other times it finds what there is, as libFuzzer must.
#pragma once

#include "fuzz/MemoryFile.h"

#include <QByteArray>

#include <map>
#include <string>

namespace dtlsd::fuzz {

class FileJail
{
public:
    /// The one of this process.
    static FileJail &instance();

    class Stay
    {
    public:
        Stay() { instance().m_closed = true; }
        ~Stay() { instance().m_closed = false; }
        Stay(const Stay &) = delete;
        Stay &operator=(const Stay &) = delete;
    };

    void add(const std::string &path, QByteArrayView content);
    /// Where @p path really is; empty: nowhere.
    [[nodiscard]] QByteArray find(const char *path) const;

private:
    std::map<std::string, MemoryFile> m_files;
    bool m_closed = false;
};

} // namespace dtlsd::fuzz
