// SPDX-License-Identifier: Apache-2.0
//
// CraftedHello: a ClientHello written by hand (RFC 6347 §4.2.1), so that a test decides its content
// and what follows it. cookieOf() reads the server's cookie.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <optional>

namespace dtlsd::test {

struct CraftedHello
{
    QByteArray random = QByteArray(32, 'r');
    QByteArray cookie = {};
    /// PSK-AES128-GCM-SHA256: an answer of two small messages.
    QByteArray cipherSuites = QByteArray::fromHex("00a8");
    qsizetype padding = 0; ///< bytes of an extension that means nothing (RFC 7685)

    /// One record in one datagram; the second of its flight if it has a cookie.
    [[nodiscard]] QByteArray datagram() const;
    /// The first @p size bytes of the body, as a fragment.
    [[nodiscard]] QByteArray firstFragment(qsizetype size) const;
    /// The rest of the body, as a fragment.
    [[nodiscard]] QByteArray lastFragment(qsizetype from) const;

private:
    [[nodiscard]] QByteArray body() const;
    [[nodiscard]] QByteArray fragment(qsizetype from, qsizetype size) const;
};

/// The cookie of a HelloVerifyRequest; nullopt if @p datagram is none.
std::optional<QByteArray> cookieOf(QByteArrayView datagram);

} // namespace dtlsd::test
