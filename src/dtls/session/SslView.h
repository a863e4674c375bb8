// SPDX-License-Identifier: Apache-2.0
//
// SslView: watches the SSL under a QDtls for what QDtls does not tell: messages and alerts as
// OpenSSL has read them, whether the last record was authentic, what was negotiated. It also sets
// bounds, but records and keys go through QDtls alone. It works with Qt's TLS backend and with
// ours: OpenSSL calls an ex_data index (SSL_get_ex_new_index(3)) for each new SSL and its end.
#pragma once

#include "wire/Alert.h"

#include <QByteArray>

#include <cstddef>
#include <optional>

#include <openssl/ssl.h>

namespace dtlsd {

class SslView
{
public:
    SslView() = default;
    SslView(const SslView &) = delete;
    SslView &operator=(const SslView &) = delete;
    ~SslView();

    /// While it lives, the view attaches to an SSL that this thread creates.
    class Birth
    {
    public:
        explicit Birth(SslView &view);
        ~Birth();
        Birth(const Birth &) = delete;
        Birth &operator=(const Birth &) = delete;

    private:
        SslView &m_view;
    };

    /// Whether OpenSSL lets an authentic empty record be told from a dropped one: up to 3.1.
    static bool tellsOfEmptyRecords()
    {
        return OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2;
    }
    /// After a record without plaintext or error, where it tells: whether it was authentic and
    /// empty. If not, OpenSSL dropped it and waits for the next.
    [[nodiscard]] bool hasReadAnEmptyRecord() const
    {
        return m_ssl && SSL_want(m_ssl) == SSL_NOTHING;
    }
    /// After a handshake: whether OpenSSL has begun to read a message of another one.
    [[nodiscard]] bool isInAHandshake() const { return m_ssl && SSL_in_init(m_ssl) != 0; }
    /// The most plaintext that a record may have, in bytes (RFC 6066 §4).
    [[nodiscard]] qsizetype maximumPlaintext() const;

    // As read by OpenSSL; kept after the SSL is gone.

    /// The body of a ClientHello that came in fragments; otherwise empty.
    [[nodiscard]] const QByteArray &hello() const { return m_hello; }
    /// The identity in the ClientKeyExchange (RFC 4279 §2) with any NUL; nullopt: none was read.
    [[nodiscard]] const std::optional<QByteArray> &identity() const { return m_identity; }
    /// The last alert of the peer.
    [[nodiscard]] const std::optional<Alert> &alert() const { return m_alert; }
    /// The handshake is complete: frees what only a failed one needs.
    void forgetHandshake();

private:
    static int index();
    static void onNew(void *ssl, void *, CRYPTO_EX_DATA *data, int index, long, void *);
    static void onFree(void *ssl, void *view, CRYPTO_EX_DATA *, int, long, void *);
    static void onMessage(int isSent, int version, int type, const void *bytes, std::size_t size,
                          SSL *ssl, void *view);
    void note(QByteArrayView message);

    SSL *m_ssl = nullptr;
    QByteArray m_hello;
    std::optional<QByteArray> m_identity;
    std::optional<Alert> m_alert;
};

} // namespace dtlsd
