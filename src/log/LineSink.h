// SPDX-License-Identifier: Apache-2.0
//
// LineSink: records as lines. A line that was written as a whole is kept; what its reader makes of
// it nobody can know.
#pragma once

#include "log/LineWriter.h"
#include "log/Sink.h"

#include <QByteArray>

namespace dtlsd {

class LineSink : public Sink
{
public:
    /// @p fd stays the caller's; see LineWriter about SIGPIPE.
    explicit LineSink(int fd)
        : m_writer(fd)
    {
    }

    void write(const LogRecord &record) final
    {
        m_outcomes.push_back(m_writer.write(line(record)));
    }
    void settle(std::vector<bool> &outcomes) final
    {
        outcomes.insert(outcomes.end(), m_outcomes.begin(), m_outcomes.end());
        m_outcomes.clear();
    }

private:
    /// @p record as a line, with its line feed.
    [[nodiscard]] virtual QByteArray line(const LogRecord &record) const = 0;

    LineWriter m_writer;
    std::vector<bool> m_outcomes;
};

} // namespace dtlsd
