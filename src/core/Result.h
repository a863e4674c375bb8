// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value, or the Error that prevented it.
//
// For fatal errors only: configuration, bind, initialisation. They are forwarded unchanged and
// reported once, where they are handled. Anything a peer can cause is an enumerator instead.
#pragma once

#include <QString>

#include <functional>
#include <utility>
#include <variant>

namespace dtlsd {

/// A sentence for the operator: where, what is wrong, what is accepted.
struct Error
{
    QString message;
};

template <class T = std::monostate>
class [[nodiscard]] Result
{
public:
    Result(T value)
        : m_state(std::in_place_index<0>, std::move(value))
    {
    }
    Result(Error error)
        : m_state(std::in_place_index<1>, std::move(error))
    {
    }

    [[nodiscard]] bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }

    /// Requires ok().
    [[nodiscard]] const T &value() const & { return std::get<0>(m_state); }
    [[nodiscard]] T &&value() && { return std::get<0>(std::move(m_state)); }

    /// Requires !ok().
    [[nodiscard]] const Error &error() const { return std::get<1>(m_state); }

private:
    std::variant<T, Error> m_state;
};

/// The result of a step that returns no value but may fail: `return success();`
inline Result<> success()
{
    return std::monostate{};
}

/// A callback for a T that is available now or later; called once.
template <class T>
using Then = std::function<void(T)>;

} // namespace dtlsd
