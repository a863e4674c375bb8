// SPDX-License-Identifier: Apache-2.0
//
// CipherPolicy: the cipher suites to offer. DTLS 1.2, PSK and AEAD only: with a CBC suite one
// forged record can end a session.
#pragma once

#include "core/Result.h"
#include "wire/CipherSuite.h"

#include <QByteArray>
#include <QString>

namespace dtlsd {

class CipherPolicy
{
public:
    /// `modern`.
    CipherPolicy();
    /// `strict`, `modern`, `iot`, or an OpenSSL cipher string (openssl-ciphers(1)). Fails on a name
    /// that OpenSSL does not know, and on a suite that is not PSK with AEAD or that the security
    /// level in force disables; the message names it.
    static Result<CipherPolicy> parse(const QString &text);

    /// For QSslConfiguration's backend option "CipherString". A preset's string lowers the security
    /// level if the one in force would disable any of its suites.
    [[nodiscard]] const QByteArray &cipherString() const { return m_cipherString; }
    /// Whether the server may choose @p suite. Asks OpenSSL: too slow for every handshake.
    [[nodiscard]] bool contains(CipherSuite suite) const;
    /// As configured; parse() reads it back.
    [[nodiscard]] const QString &text() const { return m_text; }

    friend bool operator==(const CipherPolicy &, const CipherPolicy &) = default;

private:
    CipherPolicy(QString text, QByteArray cipherString);

    QString m_text;
    QByteArray m_cipherString;
};

} // namespace dtlsd
