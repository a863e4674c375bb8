// SPDX-License-Identifier: Apache-2.0
//
// LineWriter: whole lines to a file descriptor that it does not own, however slow that is.
//
// A pipe that nobody reads any more raises SIGPIPE; the program has to ignore it, as dtlsd does
// with ignoreBrokenPipes() of systemd/UnixSignals.h, and then write() says false.
#pragma once

#include <QByteArrayView>

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

private:
    qsizetype writeBytes(QByteArrayView bytes) const;

    const int m_fd;
    bool m_cut = false; // the last line has a beginning and no end
};

} // namespace dtlsd
