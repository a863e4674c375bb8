// SPDX-License-Identifier: Apache-2.0
#include "wire/CipherSuite.h"

#include "core/ErrorQueue.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/ssl.h>

namespace dtlsd {

namespace {

struct Range
{
    std::uint16_t first;
    std::uint16_t last;
};

constexpr std::array aead{
    Range{0x00A8, 0x00AD}, // AES-GCM (RFC 5487)
    Range{0xC06A, 0xC06F}, // ARIA-GCM (RFC 6209)
    Range{0xC08E, 0xC093}, // Camellia-GCM (RFC 6367)
    Range{0xC0A4, 0xC0AB}, // AES-CCM (RFC 6655)
    Range{0xCCAB, 0xCCAE}, // ChaCha20-Poly1305 (RFC 7905)
    Range{0xD001, 0xD005}  // ECDHE with AES-GCM and AES-CCM (RFC 8442)
};
constexpr std::array others{
    Range{0x002C, 0x002E}, // NULL (RFC 4785)
    Range{0x008A, 0x0095}, // RC4, 3DES and AES-CBC (RFC 4279)
    Range{0x00AE, 0x00B9}, // AES-CBC and NULL with SHA-2 (RFC 5487)
    Range{0xC033, 0xC03B}, // ECDHE with RC4, 3DES, AES-CBC and NULL (RFC 5489)
    Range{0xC064, 0xC069}, // ARIA-CBC
    Range{0xC070, 0xC071}, // ECDHE with ARIA-CBC
    Range{0xC094, 0xC09B}  // Camellia-CBC
};

template <std::size_t count>
bool isIn(const std::array<Range, count> &ranges, std::uint16_t number)
{
    return std::ranges::any_of(ranges, [number](const Range &range) {
        return number >= range.first && number <= range.last;
    });
}

QHash<std::uint16_t, QByteArray> namesOfOpenSsl()
{
    QHash<std::uint16_t, QByteArray> names;
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(DTLS_method()),
                                                                    &SSL_CTX_free);
    if (context && SSL_CTX_set_cipher_list(context.get(), "ALL:COMPLEMENTOFALL:@SECLEVEL=0") == 1) {
        const STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context.get());
        for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
            const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
            names.insert(SSL_CIPHER_get_protocol_id(cipher), SSL_CIPHER_get_name(cipher));
        }
    }
    emptyErrorQueue();
    return names;
}

const QHash<std::uint16_t, QByteArray> &names()
{
    static const QHash<std::uint16_t, QByteArray> names = namesOfOpenSsl();
    return names;
}

} // namespace

bool CipherSuite::isPsk() const
{
    return isPskAead() || isIn(others, number);
}

bool CipherSuite::isPskAead() const
{
    return isIn(aead, number);
}

bool CipherSuite::isSignal() const
{
    const bool isGrease = (number & 0x0F0F) == 0x0A0A && number >> 8 == (number & 0xFF);
    return number == 0x00FF || number == 0x5600 || isGrease;
}

CipherSuite CipherSuite::named(const QByteArray &name)
{
    return {names().key(name)};
}

QByteArray CipherSuite::opensslName() const
{
    return names().value(number);
}

QByteArray CipherSuite::text() const
{
    const QByteArray name = opensslName();
    return name.isEmpty() ? "0x" + QByteArray::number(number, 16).toUpper().rightJustified(4, '0')
                          : name;
}

} // namespace dtlsd
