// SPDX-License-Identifier: Apache-2.0
#include "wire/Alert.h"

#include <algorithm>
#include <array>

namespace dtlsd {

namespace {

struct Name
{
    int description;
    const char *name;
};

// IANA's registry "TLS Alerts", as of RFC 8446, RFC 7301 and RFC 9146.
constexpr std::array alertNames{Name{0, "close_notify"},
                                Name{10, "unexpected_message"},
                                Name{20, "bad_record_mac"},
                                Name{21, "decryption_failed"},
                                Name{22, "record_overflow"},
                                Name{30, "decompression_failure"},
                                Name{40, "handshake_failure"},
                                Name{42, "bad_certificate"},
                                Name{43, "unsupported_certificate"},
                                Name{44, "certificate_revoked"},
                                Name{45, "certificate_expired"},
                                Name{46, "certificate_unknown"},
                                Name{47, "illegal_parameter"},
                                Name{48, "unknown_ca"},
                                Name{49, "access_denied"},
                                Name{50, "decode_error"},
                                Name{51, "decrypt_error"},
                                Name{52, "too_many_cids_requested"},
                                Name{60, "export_restriction"},
                                Name{70, "protocol_version"},
                                Name{71, "insufficient_security"},
                                Name{80, "internal_error"},
                                Name{86, "inappropriate_fallback"},
                                Name{90, "user_canceled"},
                                Name{100, "no_renegotiation"},
                                Name{109, "missing_extension"},
                                Name{110, "unsupported_extension"},
                                Name{112, "unrecognized_name"},
                                Name{115, "unknown_psk_identity"},
                                Name{116, "certificate_required"},
                                Name{120, "no_application_protocol"}};

} // namespace

std::optional<Alert> Alert::in(QByteArrayView content)
{
    if (content.size() != 2)
        return std::nullopt;
    const Alert alert{static_cast<Level>(content[0]), static_cast<AlertDescription>(content[1])};
    const bool isOne = alert.level == Level::Warning || alert.level == Level::Fatal;
    return isOne ? std::optional(alert) : std::nullopt;
}

QByteArray Alert::text() const
{
    const int number = static_cast<int>(description);
    const auto *const known = std::ranges::find(alertNames, number, &Name::description);
    const QByteArray name = known == alertNames.end() ? "unknown" : known->name;
    return name + " (" + QByteArray::number(number) + ')';
}

} // namespace dtlsd
