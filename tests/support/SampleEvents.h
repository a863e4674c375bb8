// SPDX-License-Identifier: Apache-2.0
//
// Samples for the tests of events, and a look into their entries.
#pragma once

#include "dtls/Events.h"
#include "log/LogRecord.h"

#include <algorithm>

namespace dtlsd::test {

/// An open session of sensor-17.
inline SessionInfo session()
{
    return {.id = SessionId{0x0123456789abcdef},
            .path = {SocketAddress::parse(u"192.0.2.7:5683").value(),
                     SocketAddress::parse(u"192.0.2.1:22334").value()},
            .identity = "sensor-17",
            .cipher = CipherSuite::named("PSK-AES128-GCM-SHA256")};
}

inline bool hasField(const LogRecord &record, const QByteArray &name)
{
    return std::any_of(record.fields.begin(), record.fields.end(),
                       [&name](const LogField &field) { return field.name == name; });
}

inline QByteArray field(const LogRecord &record, const char *name)
{
    for (const LogField &candidate : record.fields) {
        if (qstrcmp(candidate.name, name) == 0)
            return candidate.value;
    }
    return {};
}

} // namespace dtlsd::test
