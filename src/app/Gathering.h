// SPDX-License-Identifier: Apache-2.0
//
// Gathering: the workers' answers to one question, collected in the main thread as they come.
#pragma once

#include "core/Result.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace dtlsd {

template <class T>
class Gathering
{
public:
    /// In the order of the workers; the error names a worker that has not answered.
    using Answers = Result<std::vector<T>>;

    Gathering(std::size_t workers, Then<Answers> then)
        : m_answers(workers)
        , m_missing(workers)
        , m_then(std::move(then))
    {
    }

    void take(std::size_t worker, T answer)
    {
        m_answers[worker] = std::move(answer);
        if (--m_missing == 0)
            conclude();
    }
    /// Stops waiting and ignores later answers. No effect once all have answered.
    void giveUp() { conclude(); }

private:
    void conclude()
    {
        const auto then = std::exchange(m_then, {});
        if (!then)
            return;
        std::vector<T> answers;
        for (std::optional<T> &answer : m_answers) {
            if (!answer) {
                then(Error{QStringLiteral("worker %1 does not answer").arg(answers.size())});
                return;
            }
            answers.push_back(std::move(*answer));
        }
        then(std::move(answers));
    }

    std::vector<std::optional<T>> m_answers;
    std::size_t m_missing;
    Then<Answers> m_then; // empty once it was called
};

} // namespace dtlsd
