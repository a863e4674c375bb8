// SPDX-License-Identifier: Apache-2.0
#include "support/KeyedClient.h"

#include "core/ErrorQueue.h"

#include <QtEndian>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace dtlsd::test {

namespace {

constexpr unsigned int connectionIdExtension = 54;
constexpr unsigned int returnRoutabilityExtension = 61;

/// How a suite protects records (RFC 5288, RFC 6655, RFC 7905).
struct Aead
{
    const char *cipher = nullptr;
    const char *hash = nullptr;
    qsizetype keySize = 16;
    qsizetype ivSize = 4;
    int tagSize = 16;
    bool isCcm = false;

    static Aead of(const QByteArray &suite)
    {
        if (suite.endsWith("CHACHA20-POLY1305"))
            return {"ChaCha20-Poly1305", "SHA256", 32, 12};
        if (suite == "PSK-AES256-GCM-SHA384")
            return {"AES-256-GCM", "SHA384", 32};
        if (suite.contains("-CCM"))
            return {suite.contains("AES256") ? "AES-256-CCM" : "AES-128-CCM",
                    "SHA256",
                    suite.contains("AES256") ? 32 : 16,
                    4,
                    suite.endsWith("CCM8") ? 8 : 16,
                    true};
        return {"AES-128-GCM", "SHA256"};
    }
};

QByteArray bigEndian(std::uint64_t value, int size)
{
    QByteArray bytes(8, Qt::Uninitialized);
    qToBigEndian(quint64{value}, bytes.data());
    return bytes.last(size);
}

const uchar *data(const QByteArray &bytes)
{
    return reinterpret_cast<const uchar *>(bytes.constData());
}

enum class Crypt { Open, Seal };

/// @p text and its tag; or, opened, the text of both, null if it is forged.
QByteArray crypted(Crypt way, const Aead &aead, const QByteArray &key, const QByteArray &nonce,
                   const QByteArray &additional, const QByteArray &text)
{
    const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
        EVP_CIPHER_fetch(nullptr, aead.cipher, nullptr), &EVP_CIPHER_free);
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX *with = context.get();
    const bool seals = way == Crypt::Seal;
    const int size = static_cast<int>(text.size()) - (seals ? 0 : aead.tagSize);
    if (size < 0)
        return {};
    QByteArray out = text + QByteArray(seals ? aead.tagSize : 0, '\0');
    auto *const to = reinterpret_cast<uchar *>(out.data());
    int written = 0;
    bool isRight =
        EVP_CipherInit_ex(with, cipher.get(), nullptr, nullptr, nullptr, seals ? 1 : 0) == 1 &&
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()),
                            nullptr) == 1 &&
        ((seals && !aead.isCcm) || EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_SET_TAG, aead.tagSize,
                                                       seals ? nullptr : to + size) == 1) &&
        EVP_CipherInit_ex(with, nullptr, nullptr, data(key), data(nonce), -1) == 1 &&
        (!aead.isCcm || EVP_CipherUpdate(with, nullptr, &written, nullptr, size) == 1) &&
        EVP_CipherUpdate(with, nullptr, &written, data(additional),
                         static_cast<int>(additional.size())) == 1 &&
        EVP_CipherUpdate(with, to, &written, to, size) == 1;
    if (seals || !aead.isCcm) // CCM opens all at once
        isRight = isRight && EVP_CipherFinal_ex(with, to + size, &written) == 1;
    if (seals && !(isRight &&
                   EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_GET_TAG, aead.tagSize, to + size) == 1))
        qFatal("OpenSSL does not seal with %s", aead.cipher);
    return isRight ? out.first(seals ? size + aead.tagSize : size) : QByteArray();
}

} // namespace

KeyedClient::KeyedClient(Options options)
    : m_options(std::move(options))
    , m_method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory network"))
    , m_context(SSL_CTX_new(DTLS_client_method()))
{
    BIO_meth_set_read(m_method.get(), &KeyedClient::read);
    BIO_meth_set_write(m_method.get(), &KeyedClient::write);
    BIO_meth_set_ctrl(m_method.get(), &KeyedClient::control);
    SSL_CTX *context = m_context.get();
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    if (!m_options.extendsMasterSecret)
        SSL_CTX_set_options(context, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_psk_client_callback(context, &KeyedClient::provideKey);
    SSL_CTX_set_info_callback(context, &KeyedClient::onInfo);
    const QByteArray ciphers = m_options.ciphers + ":@SECLEVEL=0";
    const bool isRight = SSL_CTX_set_cipher_list(context, ciphers.constData()) == 1 &&
                         (m_options.groups.isEmpty() ||
                          SSL_CTX_set1_groups_list(context, m_options.groups.constData()) == 1) &&
                         SSL_CTX_set_tlsext_max_fragment_length(context, m_options.fragments) == 1;
    if (!isRight)
        qFatal("OpenSSL refuses the options of a device");
    if (m_options.connectionId)
        m_idRequest = static_cast<char>(m_options.connectionId->size()) + *m_options.connectionId;
    for (const unsigned int extension : {connectionIdExtension, returnRoutabilityExtension})
        SSL_CTX_add_custom_ext(
            context, extension, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO,
            &KeyedClient::addExtension, nullptr, nullptr, &KeyedClient::parseExtension, nullptr);
    m_ssl.reset(SSL_new(context));
    BIO *bio = BIO_new(m_method.get());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(m_ssl.get(), bio, bio);
    SSL_set_app_data(m_ssl.get(), this);
    SSL_set_connect_state(m_ssl.get());
    DTLS_set_link_mtu(m_ssl.get(), 1400);
}

KeyedClient::~KeyedClient() = default;

std::vector<QByteArray> KeyedClient::takeSent()
{
    advance();
    auto sent = std::exchange(m_output, {});
    if (!m_serverId.isNull())
        std::ranges::transform(sent, sent.begin(),
                               [this](const QByteArray &datagram) { return withId(datagram); });
    return sent;
}

void KeyedClient::take(const QByteArray &datagram)
{
    heard.push_back(datagram);
    m_input.push_back(m_options.connectionId && !m_serverId.isNull() ? withoutId(datagram)
                                                                     : datagram);
    advance();
}

void KeyedClient::advance()
{
    emptyErrorQueue();
    if (SSL_is_init_finished(m_ssl.get()) == 0) {
        SSL_do_handshake(m_ssl.get());
    } else {
        QByteArray message(Record::maximumPlaintext, Qt::Uninitialized);
        std::size_t size = 0;
        while (SSL_read_ex(m_ssl.get(), message.data(), Record::maximumPlaintext, &size) == 1)
            received.push_back(message.first(static_cast<qsizetype>(size)));
    }
    emptyErrorQueue();
}

QByteArray KeyedClient::ownFinished() const
{
    QByteArray verifyData(12, '\0');
    SSL_get_finished(m_ssl.get(), verifyData.data(), 12);
    return QByteArray::fromHex("1400000c000300000000000c") + verifyData; // message 3, in one piece
}

QByteArray KeyedClient::sealByOpenSsl(const QByteArray &message)
{
    const int size = static_cast<int>(message.size());
    if (SSL_write(m_ssl.get(), message.constData(), size) != size)
        qFatal("OpenSSL does not seal a message of a device");
    const std::vector<QByteArray> sent = takeSent();
    return sent.empty() ? QByteArray() : sent.front();
}

struct KeyedClient::Side
{
    Aead aead;
    QByteArray key;
    QByteArray iv;

    /// The nonce of a record with @p number, as explicit part or as sequence number.
    [[nodiscard]] QByteArray nonce(const QByteArray &number) const
    {
        if (isExplicit())
            return iv + number;
        QByteArray nonce = iv;
        for (int i = 0; i < 8; ++i)
            nonce[4 + i] = static_cast<char>(nonce[4 + i] ^ number[i]);
        return nonce;
    }
    [[nodiscard]] bool isExplicit() const { return aead.ivSize == 4; }
    /// RFC 9146 §5.3
    [[nodiscard]] static QByteArray additionalWithId(const QByteArray &number, const QByteArray &id,
                                                     qsizetype innerSize)
    {
        return QByteArray(8, '\xff') + '\x19' + bigEndian(std::uint64_t(id.size()), 1) +
               "\x19\xfe\xfd" + number + id + bigEndian(std::uint64_t(innerSize), 2);
    }
    [[nodiscard]] QByteArray ordinary(ContentType type, const QByteArray &content,
                                      const QByteArray &number) const
    {
        const QByteArray typeAndVersion =
            bigEndian(static_cast<std::uint8_t>(type), 1) + "\xfe\xfd";
        const QByteArray additional =
            number + typeAndVersion + bigEndian(static_cast<std::uint64_t>(content.size()), 2);
        return record(typeAndVersion + number, number, additional, content);
    }
    [[nodiscard]] QByteArray withId(const QByteArray &id, ContentType type,
                                    const QByteArray &content, const QByteArray &number,
                                    int zeros) const
    {
        const QByteArray inner = content + static_cast<char>(type) + QByteArray(zeros, '\0');
        return record("\x19\xfe\xfd" + number + id, number,
                      additionalWithId(number, id, inner.size()), inner);
    }
    /// The DTLSInnerPlaintext of a record with @p idSize bytes of ID; null: forged.
    [[nodiscard]] QByteArray opened(const QByteArray &record, qsizetype idSize) const
    {
        const QByteArray number = record.sliced(3, 8);
        const QByteArray fragment = record.sliced(13 + idSize);
        const qsizetype skipped = isExplicit() ? 8 : 0;
        if (fragment.size() < skipped)
            return {};
        const QByteArray sealed = fragment.sliced(skipped);
        return crypted(
            Crypt::Open, aead, key, nonce(isExplicit() ? fragment.first(8) : number),
            additionalWithId(number, record.sliced(11, idSize), sealed.size() - aead.tagSize),
            sealed);
    }

private:
    [[nodiscard]] QByteArray record(const QByteArray &header, const QByteArray &number,
                                    const QByteArray &additional, const QByteArray &text) const
    {
        const QByteArray fragment =
            (isExplicit() ? number : QByteArray()) +
            crypted(Crypt::Seal, aead, key, nonce(number), additional, text);
        return header + bigEndian(static_cast<std::uint64_t>(fragment.size()), 2) + fragment;
    }
};

KeyedClient::Side KeyedClient::client() const
{
    const Aead aead = Aead::of(SSL_get_cipher_name(m_ssl.get()));
    const QByteArray block = keyBlock(2 * (aead.keySize + aead.ivSize));
    return {aead, block.first(aead.keySize), block.sliced(2 * aead.keySize, aead.ivSize)};
}

KeyedClient::Side KeyedClient::server() const
{
    const Aead aead = Aead::of(SSL_get_cipher_name(m_ssl.get()));
    const QByteArray block = keyBlock(2 * (aead.keySize + aead.ivSize));
    return {aead, block.sliced(aead.keySize, aead.keySize), block.last(aead.ivSize)};
}

QByteArray KeyedClient::seal(ContentType type, const QByteArray &content, std::uint16_t epoch,
                             std::uint64_t sequence, int zeros) const
{
    if (m_serverId.isNull())
        return sealOrdinary(type, content, epoch, sequence);
    return client().withId(m_serverId, type, content,
                           bigEndian(std::uint64_t{epoch} << 48 | sequence, 8), zeros);
}

QByteArray KeyedClient::sealOrdinary(ContentType type, const QByteArray &content,
                                     std::uint16_t epoch, std::uint64_t sequence) const
{
    return client().ordinary(type, content, bigEndian(std::uint64_t{epoch} << 48 | sequence, 8));
}

/// @p datagram of OpenSSL's, which knows no IDs: the Finished, if it is there, gets one.
QByteArray KeyedClient::withId(const QByteArray &datagram) const
{
    QByteArray changed;
    RecordReader reader(datagram);
    while (const auto record = reader.next()) {
        if (record->epoch == 0)
            changed += record->bytes;
        else if (record->type == ContentType::Handshake)
            changed += seal(ContentType::Handshake, ownFinished(), 1, record->sequence);
    }
    return changed;
}

/// @p datagram of the server as OpenSSL would get it without IDs.
QByteArray KeyedClient::withoutId(QByteArray datagram)
{
    const qsizetype idSize = m_options.connectionId->size();
    QByteArray changed;
    while (datagram.size() >= 13) {
        const bool hasId = datagram[0] == '\x19';
        const qsizetype header = hasId ? 13 + idSize : 13;
        if (datagram.size() < header)
            break;
        const qsizetype size = header + qFromBigEndian<quint16>(datagram.constData() + header - 2);
        if (datagram.size() < size)
            break; // the path has cut it
        const QByteArray record = datagram.first(size);
        datagram = datagram.sliced(size);
        if (!hasId) {
            changed += record;
            continue;
        }
        QByteArray inner = server().opened(record, idSize);
        while (inner.endsWith('\0'))
            inner.chop(1);
        if (inner.isEmpty())
            continue; // forged
        const auto type = static_cast<ContentType>(inner.back());
        inner.chop(1);
        if (type == ContentType::ReturnRoutability)
            routability.push_back(inner);
        else
            changed += server().ordinary(type, inner, record.sliced(3, 8));
    }
    return changed + datagram;
}

int KeyedClient::addExtension(SSL *ssl, unsigned int extension, unsigned int,
                              const unsigned char **out, std::size_t *size, X509 *, std::size_t,
                              int *, void *)
{
    const auto &self = *static_cast<KeyedClient *>(SSL_get_app_data(ssl));
    const bool isId = extension == connectionIdExtension;
    if (isId ? !self.m_options.connectionId : !self.m_options.checksPaths)
        return 0;
    *out = isId ? data(self.m_idRequest) : nullptr;
    *size = isId ? static_cast<std::size_t>(self.m_idRequest.size()) : 0;
    return 1;
}

int KeyedClient::parseExtension(SSL *ssl, unsigned int extension, unsigned int,
                                const unsigned char *in, std::size_t size, X509 *, std::size_t,
                                int *, void *)
{
    auto &self = *static_cast<KeyedClient *>(SSL_get_app_data(ssl));
    if (extension == connectionIdExtension)
        self.m_serverId =
            QByteArray(reinterpret_cast<const char *>(in) + 1, static_cast<qsizetype>(size) - 1);
    return 1;
}

QByteArray KeyedClient::keyBlock(qsizetype size) const
{
    QByteArray secret(SSL_MAX_MASTER_KEY_LENGTH, Qt::Uninitialized);
    QByteArray seed("key expansion");
    const qsizetype randoms = seed.size();
    seed.resize(randoms + qsizetype{2} * SSL3_RANDOM_SIZE);
    auto *const server = reinterpret_cast<uchar *>(seed.data()) + randoms;
    SSL_SESSION_get_master_key(SSL_get_session(m_ssl.get()),
                               reinterpret_cast<uchar *>(secret.data()),
                               static_cast<std::size_t>(secret.size()));
    SSL_get_server_random(m_ssl.get(), server, SSL3_RANDOM_SIZE);
    SSL_get_client_random(m_ssl.get(), server + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);

    const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
        EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr), &EVP_KDF_free);
    const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
        EVP_KDF_CTX_new(kdf.get()), &EVP_KDF_CTX_free);
    QByteArray hash = Aead::of(SSL_get_cipher_name(m_ssl.get())).hash;
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(),
                                          static_cast<std::size_t>(secret.size())),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(),
                                          static_cast<std::size_t>(seed.size())),
        OSSL_PARAM_construct_end()};
    QByteArray block(size, Qt::Uninitialized);
    if (EVP_KDF_derive(context.get(), reinterpret_cast<uchar *>(block.data()),
                       static_cast<std::size_t>(size), parameters.data()) != 1)
        qFatal("OpenSSL does not derive the keys of a device");
    return block;
}

int KeyedClient::read(BIO *bio, char *into, int room)
{
    auto &self = *static_cast<KeyedClient *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.m_input.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const QByteArray datagram = std::move(self.m_input.front());
    self.m_input.pop_front();
    const auto size = std::min(datagram.size(), qsizetype{room});
    std::memcpy(into, datagram.constData(), static_cast<std::size_t>(size));
    return static_cast<int>(size);
}

int KeyedClient::write(BIO *bio, const char *datagram, int size)
{
    static_cast<KeyedClient *>(BIO_get_data(bio))->m_output.emplace_back(datagram, size);
    return size;
}

long KeyedClient::control(BIO *, int command, long, void *)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT ? 1 : 0;
}

unsigned int KeyedClient::provideKey(SSL *ssl, const char *, char *identity, unsigned int room,
                                     unsigned char *key, unsigned int keyRoom)
{
    const Options &options = static_cast<KeyedClient *>(SSL_get_app_data(ssl))->m_options;
    if (options.identity.size() >= qsizetype{room} || options.key.size() > qsizetype{keyRoom})
        return 0;
    std::memcpy(identity, options.identity.constData(),
                static_cast<std::size_t>(options.identity.size()) + 1);
    std::memcpy(key, options.key.constData(), static_cast<std::size_t>(options.key.size()));
    return static_cast<unsigned int>(options.key.size());
}

void KeyedClient::onInfo(const SSL *ssl, int where, int value)
{
    if (where != SSL_CB_READ_ALERT)
        return;
    auto &self = *static_cast<KeyedClient *>(SSL_get_app_data(ssl));
    self.alerts.push_back(
        {static_cast<Alert::Level>(value >> 8), static_cast<AlertDescription>(value & 0xff)});
}

} // namespace dtlsd::test
