// SPDX-License-Identifier: Apache-2.0
//
// SslView: the SSL under a QDtls, and what QDtls does not tell of it: messages and alerts as
// OpenSSL has read them, whether the last record was authentic, what was negotiated. It looks, and
// sets bounds; records and keys go through QDtls alone. The same with Qt's TLS backend and with
// ours, by OpenSSL's public interface: each new SSL of the process is announced to an index of
// application data (SSL_get_ex_new_index(3)), and so is its end.
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

    /// While one lives, an SSL that this thread makes is the one to look at.
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

    /// After a record that gave no plaintext and no error: it was authentic, and empty.
    /// Otherwise OpenSSL would wait for a better one.
    [[nodiscard]] bool hasReadAnEmptyRecord() const
    {
        return m_ssl && SSL_want(m_ssl) == SSL_NOTHING;
    }
    /// After a handshake: OpenSSL has begun to read a message of another one.
    [[nodiscard]] bool isInAHandshake() const { return m_ssl && SSL_in_init(m_ssl) != 0; }
    /// Bytes of plaintext that a record may have (RFC 6066 §4).
    [[nodiscard]] qsizetype maximumPlaintext() const;

    // As read by OpenSSL; they stay when the SSL is gone.

    /// The body of a ClientHello that came in fragments; empty: it did not.
    [[nodiscard]] const QByteArray &hello() const { return m_hello; }
    /// Of the ClientKeyExchange (RFC 4279 §2), with any NUL in it; nullopt: there was none.
    [[nodiscard]] const std::optional<QByteArray> &identity() const { return m_identity; }
    /// The last one of the peer.
    [[nodiscard]] const std::optional<Alert> &alert() const { return m_alert; }
    /// The handshake is over: gives back what only a failure is asked about.
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
