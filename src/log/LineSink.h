// SPDX-License-Identifier: Apache-2.0
//
// LineSink: writes records as lines. A line written in full counts as kept: whether its reader
// stores it cannot be known.
#pragma once

#include "log/LineWriter.h"
#include "log/Sink.h"

#include <QByteArray>

namespace dtlsd {

class LineSink : public Sink
{
public:
    /// The caller closes @p fd; see LineWriter about SIGPIPE.
    explicit LineSink(int fd)
        : m_writer(fd)
    {
    }

    void write(const LogRecord &record) final
    {
        m_fates.push_back(m_writer.write(line(record)) ? Fate::Kept : Fate::Lost);
    }
    void settle(std::vector<Fate> &fates) final
    {
        fates.insert(fates.end(), m_fates.begin(), m_fates.end());
        m_fates.clear();
    }
    [[nodiscard]] std::string lossReason() const final { return m_writer.errorText(); }

private:
    /// @p record as a line, with its line feed.
    [[nodiscard]] virtual QByteArray line(const LogRecord &record) const = 0;

    LineWriter m_writer;
    std::vector<Fate> m_fates;
};

} // namespace dtlsd
