// SPDX-License-Identifier: Apache-2.0
#include "interop/CipherSuite.h"

namespace dtlsd::test {

QList<CipherSuite> suitesOf(const QString &list)
{
    QList<CipherSuite> suites{{QStringLiteral("ECDHE-PSK-CHACHA20-POLY1305"),
                               QStringLiteral("-KX-ALL:+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305"),
                               QStringLiteral("TLS-ECDHE-PSK-WITH-CHACHA20-POLY1305-SHA256")}};
    const auto add = [&suites](const char *name, const char *gnuTls, const char *mbedTls) {
        suites << CipherSuite{QString::fromLatin1(name),
                              QStringLiteral("-KX-ALL:+PSK:-CIPHER-ALL:+") +
                                  QString::fromLatin1(gnuTls),
                              QString::fromLatin1(mbedTls)};
    };
    if (list == u"strict")
        return suites;
    add("PSK-AES256-GCM-SHA384", "AES-256-GCM", "TLS-PSK-WITH-AES-256-GCM-SHA384");
    add("PSK-AES128-GCM-SHA256", "AES-128-GCM", "TLS-PSK-WITH-AES-128-GCM-SHA256");
    add("PSK-CHACHA20-POLY1305", "CHACHA20-POLY1305", "TLS-PSK-WITH-CHACHA20-POLY1305-SHA256");
    if (list == u"modern")
        return suites;
    add("PSK-AES128-CCM", "AES-128-CCM", "TLS-PSK-WITH-AES-128-CCM");
    add("PSK-AES256-CCM8", "AES-256-CCM-8", "TLS-PSK-WITH-AES-256-CCM-8");
    add("PSK-AES128-CCM8", "AES-128-CCM-8", "TLS-PSK-WITH-AES-128-CCM-8");
    return suites;
}

} // namespace dtlsd::test
