// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

namespace dtlsd::test {

const QByteArray who = "{identity} (127.0.0.1:{peer_port}): ";
const QByteArray someTime = "<\\d+\\.\\d m?s>";

Fields ofAPeer(const Fields &more)
{
    Fields fields{{"session", "<[0-9a-f]{16}>"},
                  {"peer_address", "127.0.0.1"},
                  {"peer_port", "{port}"},
                  {"local_address", "{server}"}};
    fields.insert(more);
    return fields;
}

Fields ofASession(const Fields &more)
{
    Fields fields = ofAPeer(
        {{"identity", "sensor-17"}, {"cipher", "PSK-AES128-GCM-SHA256"}, {"protocol", "DTLSv1.2"}});
    fields.insert(more);
    return fields;
}

} // namespace dtlsd::test
