// SPDX-License-Identifier: Apache-2.0
#include "EventScene.h"

#include "support/JournalInstance.h"

#include <QTest>
#include <QThread>

#include <signal.h>

namespace dtlsd::test {

namespace {

bool isConnectedSoon(DtlsClient &client, const SocketAddress &server)
{
    return client.connectTo(server).ok() &&
           waitUntil([&client] { return client.isConnected(); }, QDeadlineTimer(patience));
}

/// In a thread of its own, so that nobody reads the daemon's output meanwhile. The second device's
/// handshake is over when all that the first has sent has been handled.
void sendMoreThanTheLogTakes(const SocketAddress &server)
{
    bool isHandled = false;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
        DtlsClient loud(EventStage::sensor());
        DtlsClient late(EventStage::sensor());
        if (!isConnectedSoon(loud, server))
            return;
        for (int i = 0; i < 4000; ++i)
            loud.send(QByteArray(100, 'l'));
        isHandled = isConnectedSoon(late, server);
    }));
    thread->start();
    thread->wait();
    QVERIFY(isHandled);
}

void stallTheLog(EventStage &stage)
{
    if (stage.journal())
        stage.journal()->pause();
    sendMoreThanTheLogTakes(stage.server());
    if (stage.journal())
        stage.journal()->resume();
}

void reloadNonsense(EventStage &stage)
{
    stage.daemon().setConfig("nonsense");
    stage.daemon().process().sendSignal(SIGHUP);
}

void stopUnderADevice(EventStage &stage)
{
    stage.connectDevice();
    stage.stop();
}

EventScenes logScenes()
{
    return {
        {.sentence = "the log takes nothing for a while",
         .settings = {.log = "queue = 16"},
         .play = stallTheLog,
         .event = "entries-dropped",
         .expected = {{"message",
                       "{count} entr<y was|ies were> lost (<[^)]+>); datagrams among them got no "
                       "receipt; check journald, or what reads our output, and its disk"},
                      {"count", "<[1-9]\\d*>"}},
         .isRepeated = true},
        // Where a second begins is the daemon's affair; the one with the datagram is looked at.
        {.sentence = "a period is over",
         .settings = {.log = "statistics_interval = 1s"},
         .play = [](EventStage &stage) { stage.exchange(stage.connectDevice(), "counted"); },
         .event = "statistics",
         .expected =
             {{"message",
               "1 session open, 0 half-open; in the last <\\d+>s: {sessions_opened} "
               "opened, 0 closed, 0 failed, 1 datagram received, {sent_datagrams} replies sent"},
              {"duration_usec", "<0|[1-9]\\d*000000>"},
              {"sessions", "1"},
              {"half_open", "0"},
              {"sessions_opened", "<[01]>"},
              {"sessions_closed", "0"},
              {"handshakes_failed", "0"},
              {"count", "1"},
              {"received_datagrams", "1"},
              {"received_bytes", "7"},
              {"sent_datagrams", "<[01]>"},
              {"sent_bytes", "<[07]>"},
              {"bad_records", "0"},
              {"kernel_drops", "0"},
              {"unverified", "0"}}},
    };
}

} // namespace

EventScenes daemonScenes()
{
    EventScenes scenes{
        {.sentence = "the daemon starts",
         .event = "started",
         .expected = {{"message", "dtlsd <\\d+\\.\\d+\\.\\d+> listens on {server} with 1 worker "
                                  "for 1 identity; TLS backend: <dtlsd|qt, so \\[tls\\] "
                                  "connection_ids and \\[server\\] keep_sessions have no "
                                  "effect>"},
                      {"tls_backend", "<dtlsd|qt>"},
                      {"connection_ids", "<yes|no>"},
                      {"kept_sessions", "no"},
                      {"taken_over", "0"},
                      {"local_address", "{server}"},
                      {"config_file", "{config}"}}},
        {.sentence = "the daemon is told to stop",
         .play = stopUnderADevice,
         .event = "stopping",
         .expected = {{"message", "stopping on SIGTERM; 1 session to close"},
                      {"reason", "SIGTERM"},
                      {"count", "1"}}},
        {.sentence = "a configuration that is wrong is reloaded",
         .play = reloadNonsense,
         .event = "reload-rejected",
         .expected = {{"message",
                       "configuration not reloaded: {config}:1: there is no =; key = value, "
                       "[section] and comments that begin with ; or # are accepted"},
                      {"config_file", "{config}"},
                      {"config_line", "1"}}},
        {.sentence = "a configuration is reloaded",
         .play = [](EventStage &stage) { stage.daemon().process().sendSignal(SIGHUP); },
         .event = "reloaded",
         .expected = {{"message", "configuration reloaded: nothing changed"},
                      {"config_file", "{config}"},
                      {"count", "0"}}},
        {.sentence = "an address is taken",
         .play = [](EventStage &stage) { stage.startUnderstudy(); },
         .event = "listen-failed",
         .expected = {{"message", "cannot listen on {server}: Address already in use; ss -lunp "
                                  "shows who has it"},
                      {"local_address", "{server}"}}},
        {.sentence = "any identity is welcome",
         .settings = {.identities = "[identity *]\nkey = hex:" + hexKey + '\n'},
         .event = "configuration-warning",
         .expected = {{"message", "{config}:{config_line}: [identity *]<.+>"},
                      {"config_file", "{config}"},
                      {"config_line", "<[1-9]\\d*>"}}},
    };
    for (EventScene &scene : logScenes())
        scenes.push_back(std::move(scene));
    return scenes;
}

} // namespace dtlsd::test
