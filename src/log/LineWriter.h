// SPDX-License-Identifier: Apache-2.0
//
// LineWriter: writes whole lines to a file descriptor that it does not own, however slow that is.
//
// Writing to a pipe without a reader raises SIGPIPE; the program has to ignore it, as dtlsd does
// with ignoreWriteSignals() of systemd/UnixSignals.h. Then write() returns false.
#pragma once

#include <QByteArrayView>

#include <string>

namespace dtlsd {

class LineWriter
{
public:
    explicit LineWriter(int fd)
        : m_fd(fd)
    {
    }

    /// Blocks until all of @p line, which ends in a line feed, is written. false: an error came
    /// before the end. The next call then ends the unfinished line first.
    [[nodiscard]] bool write(QByteArrayView line);

    /// The error of the last write() that failed: `standard output: No space left on device`.
    [[nodiscard]] std::string errorText() const;

private:
    qsizetype writeBytes(QByteArrayView bytes);

    const int m_fd;
    int m_error = 0;    // errno of the last error
    bool m_cut = false; // the last line was written in part
};

} // namespace dtlsd
