// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

#include <QTest>

namespace dtlsd::test {

namespace {

/// To a service that is not there.
void sayInVain(EventStage &stage)
{
    stage.exchange(stage.connectDevice(), "lost");
}

void sayBeforeAndAfterItIsThere(EventStage &stage)
{
    DtlsClient &device = stage.connectDevice();
    stage.exchange(device, "lost");
    QVERIFY(stage.log().waitForEvent(QStringLiteral("service-unreachable")));
    stage.callService();
    stage.exchange(device, "taken");
}

} // namespace

EventScenes serviceScenes()
{
    const EventStage::Settings forwarding{.server = "forward = {service}\n"};
    return {
        {.sentence = "a service is not there",
         .settings = forwarding,
         .play = sayInVain,
         .event = "service-unreachable",
         .expected = {{"message", "service {service}: 1 datagram not taken: nobody listens there"},
                      {"service", "{service}"},
                      {"reason", "refused"},
                      {"count", "1"}}},
        {.sentence = "a service is there again",
         .settings = forwarding,
         .play = sayBeforeAndAfterItIsThere,
         .event = "service-reachable",
         .expected = {{"message", "service {service}: takes datagrams again"},
                      {"service", "{service}"},
                      {"count", "0"}}},
    };
}

} // namespace dtlsd::test
