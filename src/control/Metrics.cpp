// SPDX-License-Identifier: Apache-2.0
#include "control/Metrics.h"

#include "control/Exposition.h"
#include "core/Version.h"
#include "events/Reasons.h"

#include <QFileInfo>

#include <openssl/crypto.h>

#include <chrono>

namespace dtlsd {

namespace {

struct View
{
    const DaemonState &state;
    const Statistics total = state.total();
    const ForwardStatistics forwarded = state.totalForwarded();
};

struct Family
{
    const char *name; ///< says type and unit as well
    const char *help;
    void (*tell)(const View &of, Exposition &to);
};

void buildInfo(const View &of, Exposition &to)
{
    to.sample(1, {{"version", version.latin1()},
                  {"qt", qVersion()},
                  {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
                  {"tls_backend", nameIn(backendNames, of.state.tlsBackend).latin1()}});
}

void startTime(const View &of, Exposition &to)
{
    to.sample(std::chrono::milliseconds(of.state.started.toMSecsSinceEpoch()));
}

void sessions(const View &of, Exposition &to)
{
    to.sample(of.total.sessions, {{"state", "established"}});
    to.sample(of.total.halfOpen, {{"state", "handshaking"}});
}

template <class Enum, class Tell>
void forEachReason(const CountBy<Enum> &counts, Tell tell)
{
    for (std::size_t i = 0; i < counts.counts.size(); ++i)
        tell(counts.counts[i], reasonFor(static_cast<Enum>(i)).name);
}

void handshakes(const View &of, Exposition &to)
{
    to.sample(of.total.sessionsOpened, {{"outcome", "completed"}, {"reason", ""}});
    forEachReason(of.total.handshakesFailed, [&to](std::uint64_t count, const char *reason) {
        to.sample(count, {{"outcome", "failed"}, {"reason", reason}});
    });
}

void sessionsClosed(const View &of, Exposition &to)
{
    forEachReason(of.total.sessionsClosed, [&to](std::uint64_t count, const char *reason) {
        to.sample(count, {{"reason", reason}});
    });
}

void receipts(const View &of, Exposition &to)
{
    to.sample(of.total.sent.datagrams, {{"outcome", "sent"}});
    to.sample(of.state.withheldReceipts(), {{"outcome", "withheld"}});
    to.sample(of.total.repliesTooLate, {{"outcome", "too-late"}});
    to.sample(of.total.repliesTooLong, {{"outcome", "too-long"}});
    to.sample(of.total.repliesUnearned, {{"outcome", "path-not-proved"}});
}

void droppedDatagrams(const View &of, Exposition &to)
{
    const UnverifiedCounts &dropped = of.total.unverified;
    to.sample(dropped.overflowed, {{"cause", "kernel-queue-full"}});
    to.sample(dropped.malformed, {{"cause", "malformed"}});
    to.sample(dropped.tooLong, {{"cause", "hello-too-long"}});
    to.sample(dropped.withoutSession, {{"cause", "no-session"}});
    to.sample(dropped.unanswered, {{"cause", "no-cookie"}});
    to.sample(dropped.overLimit, {{"cause", "over-limit"}});
    to.sample(dropped.elsewhere, {{"cause", "elsewhere"}});
    to.sample(of.total.overRate, {{"cause", "identity-limited"}});
}

void serviceDatagrams(const View &of, Exposition &to)
{
    to.sample(of.forwarded.toService.datagrams, {{"direction", "to-service"}});
    to.sample(of.forwarded.fromService.datagrams, {{"direction", "from-service"}});
}

void serviceBytes(const View &of, Exposition &to)
{
    to.sample(of.forwarded.toService.bytes, {{"direction", "to-service"}});
    to.sample(of.forwarded.fromService.bytes, {{"direction", "from-service"}});
}

void serviceDrops(const View &of, Exposition &to)
{
    forEachReason(of.forwarded.dropped, [&to](std::uint64_t count, const char *reason) {
        to.sample(count, {{"cause", reason}});
    });
}

void services(const View &of, Exposition &to)
{
    for (const ServiceState &service : of.state.services)
        to.sample(service.isReachable, {{"service", service.target.toUtf8()}});
}

void logEntries(const View &of, Exposition &to)
{
    to.sample(of.state.log.kept, {{"outcome", "kept"}});
    to.sample(of.state.log.lost, {{"outcome", "lost"}});
    to.sample(of.state.log.unverified, {{"outcome", "unverified"}});
}

void reloads(const View &of, Exposition &to)
{
    to.sample(of.state.reloads.applied, {{"outcome", "applied"}});
    to.sample(of.state.reloads.rejected, {{"outcome", "rejected"}});
}

/// A value of each worker.
template <auto valueOf>
void eachWorker(const View &of, Exposition &to)
{
    int number = 0;
    for (const WorkerState &worker : of.state.workers)
        to.sample(valueOf(worker), {{"worker", QByteArray::number(number++)}});
}

/// A single value.
template <auto valueOf>
void one(const View &of, Exposition &to)
{
    to.sample(valueOf(of));
}

constexpr Family families[] = {
    {"dtlsd_build_info", "Versions of dtlsd, Qt and OpenSSL, and the TLS backend; always 1.",
     buildInfo},
    {"dtlsd_start_time_seconds", "When dtlsd was started, in Unix time.", startTime},
    {"dtlsd_resident_memory_bytes", "Resident memory of dtlsd.",
     one<[](const View &of) { return of.state.residentMemory; }>},
    {"dtlsd_identities", "Identities that are configured.",
     one<[](const View &of) { return of.state.identities; }>},
    {"dtlsd_sessions", "Open sessions, and handshakes under way.", sessions},
    {"dtlsd_handshakes_total", "Handshakes that have ended.", handshakes},
    {"dtlsd_sessions_closed_total", "Sessions that have ended.", sessionsClosed},
    {"dtlsd_received_datagrams_total", "Datagrams from devices.",
     one<[](const View &of) { return of.total.received.datagrams; }>},
    {"dtlsd_received_bytes_total", "Plaintext of datagrams from devices.",
     one<[](const View &of) { return of.total.received.bytes; }>},
    {"dtlsd_sent_datagrams_total", "Datagrams to devices.",
     one<[](const View &of) { return of.total.sent.datagrams; }>},
    {"dtlsd_sent_bytes_total", "Plaintext of datagrams to devices.",
     one<[](const View &of) { return of.total.sent.bytes; }>},
    {"dtlsd_receipts_total",
     "Replies, and services' answers: sent; withheld, as the log lost the entry or cannot read it "
     "back; too late, as the session had ended; too long for the device.",
     receipts},
    {"dtlsd_dropped_datagrams_total",
     "Datagrams dropped: by the kernel, from sources without a session, or over the rate of an "
     "identity.",
     droppedDatagrams},
    {"dtlsd_forwarded_datagrams_total",
     "Datagrams sent to local services, refused ones among them, and the services' answers.",
     serviceDatagrams},
    {"dtlsd_forwarded_bytes_total", "What was in them.", serviceBytes},
    {"dtlsd_forward_dropped_datagrams_total",
     "Datagrams that did not get to a service, or from it: not kept by the log; refused; without a "
     "socket for the session; more answers than dtlsd has read; other errors.",
     serviceDrops},
    {"dtlsd_forward_sockets", "Sessions that have a socket to a service.",
     one<[](const View &of) { return of.forwarded.sockets; }>},
    {"dtlsd_service_reachable", "0 while a service does not take what it is sent.", services},
    {"dtlsd_bad_records_total", "Records for open sessions that were forged, repeated or cut.",
     one<[](const View &of) { return of.total.badRecords; }>},
    {"dtlsd_log_waiting_entries", "Entries not yet known to be kept or lost.",
     one<[](const View &of) { return of.state.log.waiting; }>},
    {"dtlsd_log_capacity_entries", "Entries that may wait to be written: [log] queue.",
     one<[](const View &of) { return of.state.logCapacity; }>},
    {"dtlsd_log_entries_total", "Entries that the log has kept, has lost, or could not read back.",
     logEntries},
    {"dtlsd_log_verifiable", "0 while entries cannot be read back from the journal.",
     one<[](const View &of) { return of.state.log.obstacle.empty(); }>},
    {"dtlsd_log_losing_seconds", "How long the log has lost entries and kept none.",
     one<[](const View &of) { return of.state.log.losing; }>},
    {"dtlsd_log_stalled_seconds", "How long the log has taken none of the waiting entries.",
     one<[](const View &of) { return of.state.log.stalled; }>},
    {"dtlsd_reloads_total", "Reloads of the configuration.", reloads},
    {"dtlsd_last_reload_successful", "0 after a reload that was rejected.",
     one<[](const View &of) { return of.state.reloads.last != ReloadCounts::Outcome::Rejected; }>},
    {"dtlsd_worker_cpu_seconds_total", "Processor time of a worker.",
     eachWorker<[](const WorkerState &worker) { return worker.cpuTime; }>},
    {"dtlsd_worker_sessions", "Sessions that are open with a worker.",
     eachWorker<[](const WorkerState &worker) { return worker.statistics.sessions; }>},
    {"dtlsd_worker_received_datagrams_total", "Datagrams from devices to a worker.",
     eachWorker<[](const WorkerState &worker) { return worker.statistics.received.datagrams; }>},
};

} // namespace

QByteArray metricsText(const DaemonState &state)
{
    const QString config = QFileInfo(state.configFile).completeBaseName();
    Exposition exposition({"config", config.isEmpty() ? "dtlsd" : config.toUtf8()});
    const View view{state};
    for (const Family &family : families) {
        exposition.begin(family.name, family.help);
        family.tell(view, exposition);
    }
    return exposition.text();
}

} // namespace dtlsd
