// SPDX-License-Identifier: Apache-2.0
#include "tls/ServerAssociation.h"

#include "core/ErrorQueue.h"

#include <QSslPreSharedKeyAuthenticator>

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

namespace dtlsd {

namespace {

// RFC 6347 §4.2.4.1; the timeout doubles each time.
constexpr std::chrono::seconds firstTimeout{1};
constexpr std::chrono::seconds longestTimeout{60};

// Bytes; every IPv4 host accepts them (RFC 791 §3.1).
constexpr long leastMtu = 576;

/// @p what, followed by OpenSSL's reason.
QString withReason(const QString &what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? what + QStringLiteral(": ") + QLatin1StringView(reason) : what;
}

} // namespace

ServerAssociation::ServerAssociation(QDtls &dtls, Contexts &contexts,
                                     const QByteArray &cookieSecret)
    : DtlsState(cookieSecret)
    , m_dtls(dtls)
    , m_contexts(contexts)
{
}

ServerAssociation::~ServerAssociation()
{
    reset();
}

void ServerAssociation::setPeer(const QHostAddress &address, quint16 port, const QString &name)
{
    m_peer = address;
    m_port = port;
    m_peerName = name;
}

QSsl::SslProtocol ServerAssociation::dtlsSessionProtocol() const
{
    return isConnectionEncrypted() ? QSsl::DtlsV1_2 : QSsl::UnknownProtocol;
}

DatagramBio::Loan ServerAssociation::lend(QUdpSocket &socket, QByteArrayView record)
{
    return {m_context->datagrams(), socket, m_peer, m_port, record};
}

bool ServerAssociation::startHandshake(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    if (open(*socket, datagram))
        return continueHandshake(socket, datagram);
    reset();
    emptyErrorQueue();
    return false;
}

bool ServerAssociation::open(QUdpSocket &socket, const QByteArray &datagram)
{
    const QSslConfiguration configured = configuration();
    const auto option = [all = configured.backendConfiguration()](const char *name) {
        return all.value(name).toByteArray();
    };
    ThreadContexts &contexts = m_contexts.ofThisThread();
    m_timers = contexts.timers();
    m_context = contexts.contextFor(
        {option("CipherString"), option("Groups"), configured.preSharedKeyIdentityHint()});
    m_cookie = contexts.cookiesWith(cookieSecret())->of(m_peer, m_port);
    m_ssl = m_context && !m_cookie.isEmpty() ? m_context->newSsl(*this) : nullptr;
    if (!m_ssl) {
        setDtlsError(QDtlsError::TlsInitializationError,
                     QStringLiteral("OpenSSL refuses the ciphers, groups or identity hint"));
        return false;
    }
    // Puts the SSL into the state after its HelloVerifyRequest. OpenSSL peeks at the hello here,
    // and reads it in the handshake.
    const auto hello = RecordReader(datagram).next();
    const auto loan = lend(socket, hello ? hello->bytes : QByteArrayView());
    DTLS_set_link_mtu(m_ssl.get(), m_mtu != 0 ? m_mtu : leastMtu);
    const std::unique_ptr<BIO_ADDR, decltype(&BIO_ADDR_free)> peer(BIO_ADDR_new(), &BIO_ADDR_free);
    if (peer && DTLSv1_listen(m_ssl.get(), peer.get()) == 1)
        return true;
    setDtlsError(QDtlsError::TlsFatalError, QStringLiteral("a verified ClientHello is expected"));
    return false;
}

bool ServerAssociation::continueHandshake(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    m_state = QDtls::HandshakeInProgress;
    RecordReader reader(datagram);
    while (m_state == QDtls::HandshakeInProgress) {
        const auto record = reader.next();
        if (!record)
            break;
        if (admits(*record))
            shakeHands(*socket, record->bytes);
    }
    emptyErrorQueue();
    if (isConnectionEncrypted())
        m_early = reader.rest().toByteArray();
    return m_state != QDtls::HandshakeNotStarted;
}

bool ServerAssociation::admits(const Record &record)
{
    if (!m_suite) {
        const SSL_CIPHER *cipher = SSL_get_current_cipher(m_ssl.get());
        if (!cipher)
            return record.epoch == 0;
        m_suite = SuiteLimits::of(SSL_CIPHER_get_name(cipher));
    }
    // Of a record of another version OpenSSL drops the header, and parses the rest as records.
    return record.isOfDtls12() && (record.epoch == 0 || m_suite->fits(record.fragment()));
}

void ServerAssociation::shakeHands(QUdpSocket &socket, QByteArrayView record)
{
    const auto loan = lend(socket, record);
    if (const int result = SSL_do_handshake(m_ssl.get()); result == 1) {
        complete();
    } else if (isFatal(result)) {
        setDtlsError(QDtlsError::TlsFatalError,
                     withReason(QStringLiteral("the handshake has failed")));
        reset();
    } else if (m_timeout.count() == 0) {
        m_timeout = firstTimeout;
        m_timers->set(*this, m_timeout);
    }
}

void ServerAssociation::complete()
{
    m_timers->cancel(*this);
    m_state = QDtls::HandshakeComplete;
    m_cipher = m_context->cipherOf(*m_ssl);
    getBuffers(); // a recent session keeps its buffers
}

bool ServerAssociation::isFatal(int result) const
{
    const int error = SSL_get_error(m_ssl.get(), result);
    return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

bool ServerAssociation::handleTimeout(QUdpSocket *socket)
{
    clearDtlsError();
    if (m_state != QDtls::HandshakeInProgress) {
        setDtlsError(QDtlsError::InvalidOperation, QStringLiteral("no handshake is in progress"));
        return false;
    }
    const auto loan = lend(*socket);
    const bool isOver = DTLSv1_handle_timeout(m_ssl.get()) < 0;
    emptyErrorQueue();
    if (isOver) {
        setDtlsError(QDtlsError::TlsFatalError, QStringLiteral("the handshake has timed out"));
        reset();
        return false;
    }
    m_timeout = std::min<std::chrono::milliseconds>(2 * m_timeout, longestTimeout);
    m_timers->cancel(*this); // it is still set if this call came early
    m_timers->set(*this, m_timeout);
    return true;
}

bool ServerAssociation::resumeHandshake(QUdpSocket *)
{
    setDtlsError(QDtlsError::InvalidOperation, QStringLiteral("no handshake waits to be resumed"));
    return false;
}

void ServerAssociation::abortHandshake(QUdpSocket *)
{
    clearDtlsError();
    reset();
}

void ServerAssociation::sendShutdownAlert(QUdpSocket *socket)
{
    clearDtlsError();
    if (!isConnectionEncrypted())
        return;
    const auto loan = lend(*socket);
    if (getBuffers())
        SSL_shutdown(m_ssl.get());
    reset();
    emptyErrorQueue();
}

qint64 ServerAssociation::writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &plaintext)
{
    clearDtlsError();
    if (plaintext.size() > Record::maximumPlaintext) {
        setDtlsError(
            QDtlsError::TlsNonFatalError,
            QStringLiteral("a record holds at most %1 bytes").arg(Record::maximumPlaintext));
        return -1;
    }
    if (plaintext.isEmpty())
        return 0;
    const auto loan = lend(*socket);
    const int size = static_cast<int>(plaintext.size());
    if (!getBuffers() || SSL_write(m_ssl.get(), plaintext.data(), size) != size) {
        setDtlsError(QDtlsError::TlsFatalError,
                     withReason(QStringLiteral("OpenSSL has ended the session")));
        reset();
        emptyErrorQueue();
        return -1;
    }
    return size;
}

QByteArray ServerAssociation::decryptDatagram(QUdpSocket *socket, const QByteArray &datagram)
{
    clearDtlsError();
    const QByteArray records = m_early.isEmpty() ? datagram : std::exchange(m_early, {}) + datagram;
    QByteArray plaintext;
    RecordReader reader(records);
    while (isConnectionEncrypted()) {
        const auto record = reader.next();
        if (!record)
            break;
        if (admits(*record))
            read(*socket, record->bytes, plaintext);
    }
    return plaintext;
}

void ServerAssociation::read(QUdpSocket &socket, QByteArrayView record, QByteArray &plaintext)
{
    const auto loan = lend(socket, record);
    bool hasRead = false;
    getBuffers(); // without memory the read fails
    do {
        // More than this record may come: data that arrived before the handshake's end.
        const qsizetype before = plaintext.size();
        const qsizetype room = loan.isRead() ? Record::maximumPlaintext : record.size();
        std::size_t size = 0; // SSL_read() would report an empty record as an error
        plaintext.resize(before + room);
        hasRead = SSL_read_ex(m_ssl.get(), plaintext.data() + before,
                              static_cast<std::size_t>(room), &size) == 1;
        plaintext.truncate(before + static_cast<qsizetype>(size));
    } while (hasRead && (!loan.isRead() || SSL_pending(m_ssl.get()) > 0));
    if (hasRead)
        return;
    if (isFatal(0))
        endAfterReading();
    emptyErrorQueue();
}

void ServerAssociation::endAfterReading()
{
    if (SSL_get_error(m_ssl.get(), 0) == SSL_ERROR_ZERO_RETURN) {
        SSL_shutdown(m_ssl.get()); // answers the close_notify (RFC 5246 §7.2.1)
        setDtlsError(QDtlsError::RemoteClosedConnectionError,
                     QStringLiteral("the peer has closed the session"));
    } else {
        setDtlsError(QDtlsError::TlsFatalError,
                     withReason(QStringLiteral("OpenSSL has ended the session")));
    }
    reset();
}

void ServerAssociation::reset()
{
    if (m_ssl) {
        m_timers->cancel(*this);
        m_context->recent().forget(m_ssl.get(), m_place);
    }
    m_timeout = {};
    m_ssl.reset(); // the context stays: the current call has borrowed its BIO
    m_suite.reset();
    m_early.clear();
    m_cipher = {};
    m_state = QDtls::HandshakeNotStarted;
}

std::size_t ServerAssociation::provideKey(const char *identity, std::span<unsigned char> room)
{
    QSslPreSharedKeyAuthenticator authenticator;
    QTlsBackend::setupServerPskAuth(&authenticator, identity, m_context->options().identityHint,
                                    static_cast<unsigned int>(room.size()));
    Q_EMIT m_dtls.pskRequired(&authenticator);
    // The provider shares the key, and wipes it; OpenSSL wipes its own copy.
    const QByteArray key = authenticator.preSharedKey();
    const auto size = static_cast<std::size_t>(key.size());
    if (size > room.size())
        return 0;
    std::memcpy(room.data(), key.data(), size);
    return size;
}

bool ServerAssociation::isItsCookie(std::span<const unsigned char> cookie) const
{
    return !m_cookie.isEmpty() && cookie.size() == static_cast<std::size_t>(m_cookie.size()) &&
           CRYPTO_memcmp(cookie.data(), m_cookie.constData(), cookie.size()) == 0;
}

} // namespace dtlsd
