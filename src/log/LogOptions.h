// SPDX-License-Identifier: Apache-2.0
//
// LogOptions: the configuration section `[log]`.
#pragma once

#include "core/Names.h"

#include <chrono>
#include <cstdint>

namespace dtlsd {

/// syslog(3) severities, the values of PRIORITY=.
enum class Priority : std::uint8_t { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

inline constexpr Names<Priority, 5> priorityNames{
    {{QLatin1StringView("error"), Priority::Error},
     {QLatin1StringView("warning"), Priority::Warning},
     {QLatin1StringView("notice"), Priority::Notice},
     {QLatin1StringView("info"), Priority::Info},
     {QLatin1StringView("debug"), Priority::Debug}}};

enum class LogTarget : std::uint8_t { Auto, Journal, Json, Text };

inline constexpr Names<LogTarget, 4> logTargetNames{
    {{QLatin1StringView("auto"), LogTarget::Auto},
     {QLatin1StringView("journal"), LogTarget::Journal},
     {QLatin1StringView("json"), LogTarget::Json},
     {QLatin1StringView("text"), LogTarget::Text}}};

enum class PayloadFormat : std::uint8_t { None, Text, Hex };

inline constexpr Names<PayloadFormat, 3> payloadFormatNames{
    {{QLatin1StringView("none"), PayloadFormat::None},
     {QLatin1StringView("text"), PayloadFormat::Text},
     {QLatin1StringView("hex"), PayloadFormat::Hex}}};

struct LogOptions
{
    LogTarget target = LogTarget::Auto;
    Priority level = Priority::Info; ///< the least severe that is logged
    PayloadFormat payload = PayloadFormat::Text;
    std::int64_t queue = 16384;                                             ///< entries
    std::chrono::milliseconds statisticsInterval = std::chrono::minutes(5); ///< 0 = off
};

} // namespace dtlsd
