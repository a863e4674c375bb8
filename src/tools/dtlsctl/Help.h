// SPDX-License-Identifier: Apache-2.0
//
// The text of dtlsctl --help. dtlsctl(1) has the details.
#pragma once

namespace dtlsd {

inline constexpr auto help = R"(Usage: dtlsctl [--socket PATH] [--json] COMMAND
       dtlsctl key new NAME
       dtlsctl key import --format FORMAT FILE
Asks a running dtlsd and tells it what to do, through its control socket; makes keys.

Commands:
  status                What dtlsd is, where it listens and what it has done.
  sessions              The devices that are connected, a line each: on a terminal the
                        1000 that were last active.
  close SESSION         End the session with this number, which sessions shows.
  close-identity NAME   End every session of this identity.
  send SESSION DATA     Send a datagram to a device; with --identity NAME in place of
                        SESSION, to each session of this identity. DATA - is standard
                        input, up to 16384 bytes as they are.
  reload                Read the configuration anew: all of it or nothing.
  restart               Start dtlsd anew, and keep every session; refused where that
                        cannot be done.
  metrics               Counters, as Prometheus reads them.
  health                Whether every part of dtlsd answers.
  key new NAME          Print an identity with a fresh key of 256 bits, for dtlsd.ini.
  key import FILE       Print the keys of another server's FILE (- is standard input) as
                        dtlsd's key file has them. Nothing, if anything in it is wrong.

Options:
  --socket PATH     Where dtlsd is; by default /run/dtlsd/control.sock, and in a unit
                    control.sock in $RUNTIME_DIRECTORY.
  --json            Print the JSON lines of the answer unchanged: for sessions one line
                    for each session, for other commands the last line, also if it is
                    an error.
  --watch           With status and sessions: again every second, until Ctrl-C.
  --limit N         With sessions: only the N (1 to 1000) that were last active.
  --identity NAME   With sessions and send: only the sessions of this identity.
  --format FORMAT   What FILE is: mosquitto (psk_file), stunnel (PSKsecrets) or gnutls
                    (psk.passwd).
  --version         Print the version.
  --help            Print this help.

NAME, an identity, and DATA are taken byte for byte; behind -- they may begin with a
hyphen.

Examples:
  dtlsctl sessions --watch
  dtlsctl sessions --identity sensor-17
  dtlsctl --json sessions | jq -r 'select(.idle_s > 300) | .session'
  dtlsctl close-identity sensor-17
  dtlsctl send --identity sensor-17 reboot
  dtlsctl key new sensor-17 >> /etc/dtlsd/dtlsd.ini && dtlsctl reload
  (umask 027; dtlsctl key import --format mosquitto psk_file > /etc/dtlsd/psk.txt)

Exit status:
   0  done; healthy
   1  refused: not found, not sent, unhealthy, busy or sessions not kept; or the output
      cannot be written
  64  wrong usage
  65  the file to import has errors; standard input is empty, or too long to send
  66  the file to import, or standard input, cannot be read
  69  there is no dtlsd at the socket
  76  what listens at the socket is not dtlsd, or another version of it
  77  not allowed
  78  the new configuration is wrong, and the old one is still in force
)";

} // namespace dtlsd
