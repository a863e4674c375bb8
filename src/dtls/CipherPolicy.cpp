// SPDX-License-Identifier: Apache-2.0
#include "dtls/CipherPolicy.h"

#include <QStringList>

#include <array>
#include <memory>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace dtlsd {

namespace {

struct Preset
{
    QStringView name;
    const char *ciphers = nullptr;
};

#define DTLSD_STRICT "ECDHE-PSK-CHACHA20-POLY1305"
#define DTLSD_MODERN                                                                               \
    DTLSD_STRICT ":PSK-AES256-GCM-SHA384:PSK-AES128-GCM-SHA256:PSK-CHACHA20-POLY1305"
#define DTLSD_IOT DTLSD_MODERN ":PSK-AES128-CCM:PSK-AES256-CCM8:PSK-AES128-CCM8"

constexpr std::array presets{Preset{u"strict", DTLSD_STRICT}, Preset{u"modern", DTLSD_MODERN},
                             Preset{u"iot", DTLSD_IOT}};

#undef DTLSD_STRICT
#undef DTLSD_MODERN
#undef DTLSD_IOT

bool isPskAead(const SSL_CIPHER *cipher)
{
    const int authentication = SSL_CIPHER_get_auth_nid(cipher);
    const int keyExchange = SSL_CIPHER_get_kx_nid(cipher);
    const bool psk = authentication == NID_auth_psk &&
                     (keyExchange == NID_kx_psk || keyExchange == NID_kx_ecdhe_psk ||
                      keyExchange == NID_kx_dhe_psk);
    return psk && SSL_CIPHER_is_aead(cipher) == 1;
}

/// OpenSSL's own reading of @p ciphers, or what is wrong with it.
Result<> check(const QByteArray &ciphers)
{
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(DTLS_method()),
                                                                    SSL_CTX_free);
    if (!context)
        return Error{QStringLiteral("cannot be checked: OpenSSL gives no DTLS context")};
    const bool known = SSL_CTX_set_cipher_list(context.get(), ciphers.constData()) == 1;
    ERR_clear_error();

    const STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context.get());
    QStringList refused;
    int offered = 0;
    for (int i = 0; known && i < sk_SSL_CIPHER_num(list); ++i) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
        // The TLS 1.3 suites that OpenSSL always lists are never negotiated in DTLS 1.2.
        if (qstrcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0)
            continue;
        ++offered;
        if (!isPskAead(cipher))
            refused += QString::fromLatin1(SSL_CIPHER_get_name(cipher));
    }
    if (offered == 0)
        return Error{QStringLiteral("names no cipher suite that OpenSSL knows")};
    if (refused.isEmpty())
        return success();
    const qsizetype more = refused.size() - 3;
    return Error{QStringLiteral("offers %1%2, not PSK with AEAD")
                     .arg(refused.first(qMin<qsizetype>(3, refused.size())).join(u", "),
                          more > 0 ? QStringLiteral(" and %1 more").arg(more) : QString())};
}

} // namespace

CipherPolicy::CipherPolicy()
    : CipherPolicy(QStringLiteral("modern"), presets[1].ciphers)
{
}

CipherPolicy::CipherPolicy(QString text, QByteArray cipherString)
    : m_text(std::move(text))
    , m_cipherString(std::move(cipherString))
{
}

Result<CipherPolicy> CipherPolicy::parse(const QString &text)
{
    for (const Preset &preset : presets) {
        if (preset.name == text)
            return CipherPolicy(text, preset.ciphers);
    }
    const QByteArray ciphers = text.toLatin1();
    if (const Result<> checked = check(ciphers); !checked)
        return checked.error();
    return CipherPolicy(text, ciphers);
}

} // namespace dtlsd
