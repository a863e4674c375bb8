// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <cstdint>
#include <optional>

namespace dtlsd {

/// The alert descriptions that the code distinguishes (RFC 5246 §7.2).
enum class AlertDescription : std::uint8_t {
    CloseNotify = 0,
    HandshakeFailure = 40,
    ProtocolVersion = 70
};

/// RFC 5246 §7.2
struct Alert
{
    enum class Level : std::uint8_t { Warning = 1, Fatal = 2 };

    Level level = Level::Fatal;
    AlertDescription description = AlertDescription::CloseNotify;

    /// Parses the content of an alert record; nullopt: it is malformed.
    static std::optional<Alert> in(QByteArrayView content);

    /// `handshake_failure (40)`: the name in the RFCs, or `unknown`, and the number.
    [[nodiscard]] QByteArray text() const;

    friend bool operator==(const Alert &, const Alert &) = default;
};

} // namespace dtlsd
