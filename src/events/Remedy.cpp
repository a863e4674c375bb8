// SPDX-License-Identifier: Apache-2.0
#include "events/Remedy.h"

#include "dtls/CipherPolicy.h"

#include <QStringList>

#include <algorithm>

namespace dtlsd {

namespace {

constexpr qsizetype namesShown = 8;

/// What makes dtlsd accept @p suite, as a part of `[tls] ciphers`; empty: nothing does.
QString spelling(CipherSuite suite)
{
    const QString name = QString::fromLatin1(suite.opensslName());
    for (const QString &each : {name, name + QStringLiteral(":@SECLEVEL=0")}) {
        if (suite.isPskAead() && CipherPolicy::parse(each))
            return each;
    }
    return {};
}

QString advice(const std::vector<CipherSuite> &offered, const QString &ciphers)
{
    const auto suite =
        std::ranges::find_if(offered, [](CipherSuite each) { return !spelling(each).isEmpty(); });
    if (suite != offered.end()) {
        const QString name = QString::fromLatin1(suite->text());
        const QString iot = QStringLiteral("iot");
        const bool isInIot = CipherPolicy::parse(iot).value().contains(*suite);
        if (ciphers == iot && isInIot)
            return QStringLiteral("OpenSSL does not use %1 here: look at its security level")
                .arg(name);
        return isInIot ? QStringLiteral("set ciphers = iot, which has %1").arg(name)
                       : QStringLiteral("add %1 to [tls] ciphers").arg(spelling(*suite));
    }
    const auto any = [&](auto is) { return std::ranges::any_of(offered, is); };
    if (any(&CipherSuite::isPskAead))
        return QStringLiteral("OpenSSL has none of these AEAD suites; enable another one, of GCM, "
                              "CCM or ChaCha20, on the device");
    if (any(&CipherSuite::isPsk))
        return QStringLiteral(
            "enable a PSK suite with GCM, CCM or ChaCha20 on the device: with "
            "CBC one forged record can end a session, so dtlsd has no such suite");
    return QStringLiteral("none of them uses a pre-shared key; enable a PSK suite on the device");
}

} // namespace

QString remedyFor(const std::vector<CipherSuite> &offered, const QString &ciphers)
{
    if (offered.empty())
        return {};
    QStringList names;
    for (const CipherSuite suite : offered) {
        if (names.size() < namesShown)
            names += QString::fromLatin1(suite.text());
    }
    const qsizetype more = static_cast<qsizetype>(offered.size()) - names.size();
    return QStringLiteral(": %1%2; %3")
        .arg(names.join(u", "), more > 0 ? QStringLiteral(" and %1 more").arg(more) : QString(),
             advice(offered, ciphers));
}

} // namespace dtlsd
