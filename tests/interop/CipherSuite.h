// SPDX-License-Identifier: Apache-2.0
//
// CipherSuite: a suite that dtlsd offers, in the spelling of each client; and which suites
// `[tls] ciphers` = strict, modern and iot stand for. Written down here once more, so that the
// server's lists cannot change unnoticed.
#pragma once

#include <QList>
#include <QString>

namespace dtlsd::test {

struct CipherSuite
{
    QString name;   ///< OpenSSL's, Qt's, wolfSSL's and the log's; empty = the client's own choice
    QString gnuTls; ///< the end of a priority string
    QString mbedTls;
};

/// @p list: `strict`, `modern` or `iot`.
QList<CipherSuite> suitesOf(const QString &list);

} // namespace dtlsd::test
