// SPDX-License-Identifier: Apache-2.0
//
// EventScene: something that is done to a daemon, and the entry that the log has of it afterwards.
// Each of the functions below has the scenes of a theme; a scene more is a row more in one of them.
#pragma once

#include "support/EventStage.h"
#include "support/LoggedEvent.h"

#include <QByteArray>

#include <functional>
#include <vector>

namespace dtlsd::test {

struct EventScene
{
    using Play = std::function<void(EventStage &)>;

    QByteArray sentence; ///< what happens
    EventStage::Settings settings = {};
    Play play = [](EventStage &) {}; ///< may fail the test
    QByteArray event = {};
    Fields expected = {};    ///< all of its fields but `event`, `message_id` and `priority`
    bool isRepeated = false; ///< there may be more than one such entry
};

using EventScenes = std::vector<EventScene>;

/// The daemon's own life, and that of its log.
EventScenes daemonScenes();
/// Local services that get what devices say.
EventScenes serviceScenes();
/// A device and its session.
EventScenes sessionScenes();
/// Handshakes that fail.
EventScenes failureScenes();
/// Those who have no key, and what comes of it.
EventScenes strangerScenes();

/// What every entry about a peer has, and @p more. The peer is the first of the stage's.
Fields ofAPeer(const Fields &more);
/// What every entry about a session of EventStage::sensor() has, and @p more.
Fields ofASession(const Fields &more);

/// How a message about a session begins.
extern const QByteArray who;
/// `0.4 ms`, `1.5 s`
extern const QByteArray someTime;

} // namespace dtlsd::test
