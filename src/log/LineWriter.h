// SPDX-License-Identifier: Apache-2.0
//
// LineWriter: whole lines to a file descriptor that it does not own, however slow that is.
//
// A pipe that nobody reads any more raises SIGPIPE; the program has to ignore it, as dtlsd does
// with ignoreBrokenPipes() of systemd/UnixSignals.h, and then write() says false.
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
    /// before the end. The next line then does not continue what there is of this one.
    [[nodiscard]] bool write(QByteArrayView line);

    /// Of the last write() that said false: `standard output: No space left on device`.
    [[nodiscard]] std::string errorText() const;

private:
    qsizetype writeBytes(QByteArrayView bytes);

    const int m_fd;
    int m_error = 0;    // errno of the last one
    bool m_cut = false; // the last line has a beginning and no end
};

} // namespace dtlsd
