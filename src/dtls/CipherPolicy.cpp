// SPDX-License-Identifier: Apache-2.0
#include "dtls/CipherPolicy.h"

#include <QRegularExpression>
#include <QStringList>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

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

struct FreeContext
{
    void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
    void operator()(SSL *session) const { SSL_free(session); }
};
using UniqueContext = std::unique_ptr<SSL_CTX, FreeContext>;
using UniqueSession = std::unique_ptr<SSL, FreeContext>;

unsigned int noKey(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)
{
    return 0;
}

/// Has the security level of openssl.cnf(5), as the server's own contexts have.
UniqueContext makeContext()
{
    UniqueContext context(SSL_CTX_new(DTLS_method()));
    if (!context)
        return nullptr;
    SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), DTLS1_2_VERSION);
    // Without a PSK callback OpenSSL supports no PSK suite.
    SSL_CTX_set_psk_client_callback(context.get(), &noKey);
    return context;
}

bool setCiphers(SSL_CTX *context, const QByteArray &ciphers)
{
    const bool known = SSL_CTX_set_cipher_list(context, ciphers.constData()) == 1;
    ERR_clear_error();
    return known;
}

/// Drops the TLS 1.3 suites, which OpenSSL always lists and DTLS 1.2 never negotiates.
std::vector<const SSL_CIPHER *> withoutTls13(const STACK_OF(SSL_CIPHER) * list)
{
    std::vector<const SSL_CIPHER *> ciphers;
    for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
        if (qstrcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") != 0)
            ciphers.push_back(cipher);
    }
    return ciphers;
}

/// The suites in the list of @p context that its security level disables.
std::vector<const SSL_CIPHER *> leftOut(SSL_CTX *context)
{
    const UniqueSession session(SSL_new(context));
    STACK_OF(SSL_CIPHER) *supported = session ? SSL_get1_supported_ciphers(session.get()) : nullptr;
    auto ciphers = withoutTls13(SSL_CTX_get_ciphers(context));
    std::erase_if(ciphers, [supported](const SSL_CIPHER *cipher) {
        return sk_SSL_CIPHER_find(supported, const_cast<SSL_CIPHER *>(cipher)) >= 0;
    });
    sk_SSL_CIPHER_free(supported);
    return ciphers;
}

QByteArray atLevel(const QByteArray &ciphers, int level)
{
    return ciphers + ":@SECLEVEL=" + QByteArray::number(level);
}

/// The highest level, up to the one in force, at which every suite of @p ciphers is offered.
int levelFor(const QByteArray &ciphers)
{
    const UniqueContext context = makeContext();
    int level = context ? SSL_CTX_get_security_level(context.get()) : 0;
    while (level > 0 &&
           (!setCiphers(context.get(), atLevel(ciphers, level)) || !leftOut(context.get()).empty()))
        --level;
    return level;
}

/// @p ciphers, with a lower security level if the one in force disables any of them.
QByteArray whole(const QByteArray &ciphers)
{
    const UniqueContext context = makeContext();
    const bool isWhole =
        !context || (setCiphers(context.get(), ciphers) && leftOut(context.get()).empty());
    return isWhole ? ciphers : atLevel(ciphers, levelFor(ciphers));
}

/// The cipher string of each preset. The machine's security level does not change at run time.
const QByteArray &cipherStringOf(std::size_t preset)
{
    static const auto strings = [] {
        std::array<QByteArray, presets.size()> result;
        std::transform(presets.begin(), presets.end(), result.begin(),
                       [](const Preset &each) { return whole(each.ciphers); });
        return result;
    }();
    return strings.at(preset);
}

/// At most three names, and how many more there are.
QString named(const std::vector<const SSL_CIPHER *> &ciphers)
{
    constexpr std::size_t shown = 3;
    QStringList names;
    for (std::size_t i = 0; i < std::min(shown, ciphers.size()); ++i)
        names += QString::fromLatin1(SSL_CIPHER_get_name(ciphers[i]));
    return names.join(u", ") + (ciphers.size() > shown
                                    ? QStringLiteral(" and %1 more").arg(ciphers.size() - shown)
                                    : QString());
}

/// The first part of @p ciphers that selects no suite, which OpenSSL would ignore; empty if there
/// is none.
QString unknownPart(SSL_CTX *context, const QByteArray &ciphers)
{
    static const QRegularExpression separators(QStringLiteral("[:, ;]+")); // openssl-ciphers(1)
    for (const QString &part : QString::fromUtf8(ciphers).split(separators, Qt::SkipEmptyParts)) {
        const bool selects = !part.startsWith(u'!') && !part.startsWith(u'-') &&
                             !part.startsWith(u'+') && !part.startsWith(u'@');
        if (context && selects && !setCiphers(context, part.toUtf8()))
            return part;
    }
    return {};
}

/// Checks @p ciphers by OpenSSL's own parser.
Result<> check(const QByteArray &ciphers)
{
    const UniqueContext context = makeContext();
    if (!context)
        return Error{QStringLiteral("cannot be checked: OpenSSL gives no DTLS context")};
    auto refused = setCiphers(context.get(), ciphers)
                       ? withoutTls13(SSL_CTX_get_ciphers(context.get()))
                       : std::vector<const SSL_CIPHER *>();
    if (refused.empty())
        return Error{QStringLiteral("names no cipher suite that OpenSSL knows")};
    if (const QString part = unknownPart(makeContext().get(), ciphers); !part.isEmpty())
        return Error{QStringLiteral("names %1, which OpenSSL does not know").arg(part)};
    std::erase_if(refused, &isPskAead);
    if (!refused.empty())
        return Error{QStringLiteral("offers %1, not PSK with AEAD").arg(named(refused))};
    if (const auto lost = leftOut(context.get()); !lost.empty())
        return Error{QStringLiteral("names %1, which OpenSSL leaves out at security level %2, and "
                                    "offers with :@SECLEVEL=%3 at the end")
                         .arg(named(lost))
                         .arg(SSL_CTX_get_security_level(context.get()))
                         .arg(levelFor(ciphers))};
    return success();
}

} // namespace

CipherPolicy::CipherPolicy()
    : CipherPolicy(QStringLiteral("modern"), cipherStringOf(1))
{
}

CipherPolicy::CipherPolicy(QString text, QByteArray cipherString)
    : m_text(std::move(text))
    , m_cipherString(std::move(cipherString))
{
}

Result<CipherPolicy> CipherPolicy::parse(const QString &text)
{
    QByteArray ciphers = text.toLatin1();
    for (std::size_t i = 0; i < presets.size(); ++i) {
        if (presets.at(i).name == text)
            ciphers = cipherStringOf(i);
    }
    if (const Result<> checked = check(ciphers); !checked)
        return checked.error();
    return CipherPolicy(text, ciphers);
}

bool CipherPolicy::contains(CipherSuite suite) const
{
    const UniqueContext context = makeContext();
    return context && setCiphers(context.get(), m_cipherString) &&
           std::ranges::any_of(withoutTls13(SSL_CTX_get_ciphers(context.get())),
                               [suite](const SSL_CIPHER *cipher) {
                                   return SSL_CIPHER_get_protocol_id(cipher) == suite.number;
                               });
}

} // namespace dtlsd
