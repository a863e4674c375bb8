// SPDX-License-Identifier: Apache-2.0
//
// Two devices, each with a key, and their sections of a configuration.
#pragma once

#include "dtls/DtlsClient.h"

#include <QByteArray>

namespace dtlsd::test {

inline const QByteArray twoDevices = "[identity dev]\nkey = text:AAAAAAAAAAAAAAAA\n"
                                     "[identity other]\nkey = text:BBBBBBBBBBBBBBBB\n";

inline DtlsClient::Options dev()
{
    return {.identity = "dev", .key = PskKey(QByteArray(16, 'A')), .ciphers = {}};
}

inline DtlsClient::Options other()
{
    return {.identity = "other", .key = PskKey(QByteArray(16, 'B')), .ciphers = {}};
}

/// A configuration of two workers that echo, at a port of 127.0.0.1.
inline QByteArray echoingTwoDevices(const QByteArray &rest = {})
{
    return "[server]\nlisten = 127.0.0.1:0\nworkers = 2\nreply = echo\n[psk]\nfile =\n" +
           twoDevices + rest;
}

} // namespace dtlsd::test
