// SPDX-License-Identifier: Apache-2.0
//
// Reply: takes the lines of an answer, at once or in parts.
#pragma once

#include <QByteArray>

#include <functional>
#include <utility>

namespace dtlsd {

class Reply
{
public:
    /// Asks for the next part, for which the same Reply is called again.
    using More = std::function<void()>;
    /// @p more is called once the client has room for another part, never if it has gone; empty: @p
    /// lines are the last ones.
    using Taker = std::function<void(const QByteArray &lines, const More &more)>;

    Reply() = default;
    Reply(Taker taker)
        : m_taker(std::move(taker))
    {
    }

    /// Whether there is anybody to take it.
    explicit operator bool() const { return static_cast<bool>(m_taker); }
    void operator()(const QByteArray &lines, const More &more = {}) const { m_taker(lines, more); }

private:
    Taker m_taker;
};

} // namespace dtlsd
