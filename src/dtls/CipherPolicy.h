// SPDX-License-Identifier: Apache-2.0
//
// CipherPolicy: which cipher suites are offered. DTLS 1.2, PSK and AEAD only: with a CBC suite one
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
    /// `strict`, `modern`, `iot`, or an OpenSSL cipher string (openssl-ciphers(1)). Fails when
    /// OpenSSL finds no suite in it, one that is not PSK with AEAD, or one that the security level
    /// in force leaves out; the message names it.
    static Result<CipherPolicy> parse(const QString &text);

    /// For QSslConfiguration's backend option "CipherString". That of a preset sets the security
    /// level that all its suites need, where the one in force leaves some out.
    [[nodiscard]] const QByteArray &cipherString() const { return m_cipherString; }
    /// Whether the server may choose @p suite. Not for each handshake: OpenSSL is asked.
    [[nodiscard]] bool contains(CipherSuite suite) const;
    /// As it was written; parse() reads it back.
    [[nodiscard]] const QString &text() const { return m_text; }

    friend bool operator==(const CipherPolicy &, const CipherPolicy &) = default;

private:
    CipherPolicy(QString text, QByteArray cipherString);

    QString m_text;
    QByteArray m_cipherString;
};

} // namespace dtlsd
