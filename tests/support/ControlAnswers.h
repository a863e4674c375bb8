// SPDX-License-Identifier: Apache-2.0
//
// Lines of answers from dtlsd's control socket, without their line feeds.
#pragma once

#include <QByteArray>

namespace dtlsd::test {

inline const QByteArray statusLine =
    R"({"ok":true,"version":"0.1.0","pid":30,"uptime_s":12.3,"config_file":"/etc/dtlsd/dtlsd.ini",)"
    R"("listen":["0.0.0.0:22334","[::]:22334"],"tls_backend":"dtlsd","connection_ids":true,)"
    R"("keep_sessions":true,"keep_sessions_obstacle":"","taken_over":0,)"
    R"("steering":true,"identities":3,"sessions":2,"half_open":0,)"
    R"("workers":[{"worker":0,"sessions":1,"half_open":0,"datagrams_received":5,"cpu_s":0.12}],)"
    R"("sessions_opened":2,"sessions_closed":0,"handshakes_failed":1,"datagrams_received":5,)"
    R"("bytes_received":60,"datagrams_sent":1,"bytes_sent":100,"receipts_withheld":0,)"
    R"("log":{"target":"journal","waiting":0,"capacity":16384,"written":12,"lost":0,)"
    R"("unverified":0,"stalled_s":0,"losing_s":0,"loss_reason":"","obstacle":""},)"
    R"("forward":{"services":[],"sockets":0,"datagrams_to_service":0,"bytes_to_service":0,)"
    R"("datagrams_from_service":0,"bytes_from_service":0,"dropped":{"refused":0,"error":0}},)"
    R"("reloads":{"applied":0,"rejected":0,"last":"none"}})";

inline const QByteArray sessionLine =
    R"({"session":"0123456789abcdef","state":"established","identity":"sensor-17",)"
    R"("peer":"192.0.2.7:5683","local":"192.0.2.1:22334","cipher":"ECDHE-PSK-CHACHA20-POLY1305",)"
    R"("protocol":"DTLSv1.2","age_s":1.5,"idle_s":0.2,"datagrams_received":5,"bytes_received":60,)"
    R"("datagrams_sent":5,"bytes_sent":100,"bad_records":0,"worker":0,"connection_id":"0001a1b2c3d4e5f6",)"
    R"("service_source":"127.1.2.3:61004"})";

} // namespace dtlsd::test
