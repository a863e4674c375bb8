// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Modes.h"

#include <algorithm>
#include <array>

namespace dtlsd::bench {

namespace {

struct Entry
{
    Mode mode;
    const char *name;
    std::size_t clients;
};

constexpr std::array<Entry, 5> modes{{{Mode::Echo, "echo", 10},
                                      {Mode::Churn, "churn", 10},
                                      {Mode::Ramp, "ramp", 1000},
                                      {Mode::Blast, "blast", 10},
                                      {Mode::Storm, "storm", 200}}};

const Entry &entryOf(Mode mode)
{
    return *std::find_if(modes.begin(), modes.end(),
                         [mode](const Entry &entry) { return entry.mode == mode; });
}

} // namespace

QString modeName(Mode mode)
{
    return QString::fromLatin1(entryOf(mode).name);
}

std::optional<Mode> parseMode(const QString &name)
{
    for (const Entry &entry : modes) {
        if (name == QLatin1StringView(entry.name))
            return entry.mode;
    }
    return std::nullopt;
}

std::size_t usualClients(Mode mode)
{
    return entryOf(mode).clients;
}

} // namespace dtlsd::bench
