// SPDX-License-Identifier: Apache-2.0
//
// ReplayWindow: which records of the peer are new (RFC 6347 §4.1.2.6). It begins empty, and only
// authentic records advance it.
#pragma once

#include "wire/AssociationState.h"

namespace dtlsd {

class ReplayWindow
{
public:
    static constexpr std::uint64_t size = 64; ///< records

    /// Works in @p window, which must outlive it.
    explicit ReplayWindow(AssociationState::Window &window)
        : m_window(window)
    {
    }

    /// false: @p sequence was there, or is too old to tell.
    [[nodiscard]] bool isNew(std::uint64_t sequence) const
    {
        if (m_window.seen == 0 || sequence > m_window.top)
            return true;
        const std::uint64_t age = m_window.top - sequence;
        return age < size && (m_window.seen >> age & 1) == 0;
    }

    /// @p sequence, which isNew(), was authentic.
    void note(std::uint64_t sequence)
    {
        if (m_window.seen == 0 || sequence > m_window.top) {
            const std::uint64_t step = sequence - m_window.top;
            m_window.seen = step < size ? m_window.seen << step | 1 : 1;
            m_window.top = sequence;
        } else {
            m_window.seen |= std::uint64_t{1} << (m_window.top - sequence);
        }
    }

private:
    AssociationState::Window &m_window;
};

} // namespace dtlsd
