// SPDX-License-Identifier: Apache-2.0
//
// Names: the names of an enumeration's values, in one table for parsing and printing.
#pragma once

#include <QLatin1StringView>
#include <QStringView>

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace dtlsd {

template <class Enum, std::size_t count>
using Names = std::array<std::pair<QLatin1StringView, Enum>, count>;

/// Empty if the value has no name.
template <class Enum, std::size_t count>
constexpr QLatin1StringView nameIn(const Names<Enum, count> &names, Enum wanted)
{
    for (const auto &[name, value] : names) {
        if (value == wanted)
            return name;
    }
    return {};
}

template <class Enum, std::size_t count>
std::optional<Enum> valueIn(const Names<Enum, count> &names, QStringView wanted)
{
    for (const auto &[name, value] : names) {
        if (name == wanted)
            return value;
    }
    return std::nullopt;
}

} // namespace dtlsd
