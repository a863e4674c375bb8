// SPDX-License-Identifier: Apache-2.0
#include "tls/ServerHandshake.h"

#include "tls/ReplayWindow.h"
#include "wire/SuiteLimits.h"

#include <QSslPreSharedKeyAuthenticator>
#include <QtEndian>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <private/qtlsbackend_p.h>

namespace dtlsd {

namespace {

// RFC 6347 §4.2.4.1; the timeout doubles each time.
constexpr std::chrono::seconds firstTimeout{1};
constexpr std::chrono::seconds longestTimeout{60};

// Bytes; every IPv4 host accepts them (RFC 791 §3.1).
constexpr long leastMtu = 576;

// More would only be forged, and crowd out the real one.
constexpr std::size_t mostEarly = 2;

} // namespace

ServerHandshake::ServerHandshake(Setup setup)
    : m_dtls(setup.dtls)
    , m_thread(setup.thread)
    , m_context(std::move(setup.context))
    , m_timers(setup.thread.timers())
    , m_cookie(std::move(setup.cookie))
    , m_mtu(setup.mtu)
    , m_isOverIPv6(setup.isOverIPv6)
    , m_state(setup.state)
    , m_place(setup.place)
    , m_ssl(m_context->newSsl(*this))
{
}

ServerHandshake::~ServerHandshake()
{
    m_timers->cancel(*this);
    if (m_protection && m_state.phase != AssociationState::Phase::Open)
        m_protection->forget(m_state, m_place);
}

bool ServerHandshake::begin(const Record &hello)
{
    if (!m_ssl || m_cookie.isEmpty())
        return false;
    m_nextClearSequence = hello.sequence; // RFC 6347 §4.2.1
    DTLS_set_link_mtu(m_ssl.get(), m_mtu != 0 ? m_mtu : leastMtu);
    // Puts the SSL into the state after its HelloVerifyRequest. OpenSSL peeks at the hello here,
    // and reads it in the handshake.
    const DatagramBio::Loan loan(m_context->datagrams(), hello.bytes, m_isOverIPv6);
    const std::unique_ptr<BIO_ADDR, decltype(&BIO_ADDR_free)> peer(BIO_ADDR_new(), &BIO_ADDR_free);
    return peer && DTLSv1_listen(m_ssl.get(), peer.get()) == 1;
}

bool ServerHandshake::hasChangedKeys() const
{
    return SSL_get_state(m_ssl.get()) == TLS_ST_SR_CHANGE;
}

ServerHandshake::Step ServerHandshake::advance(const Record &record)
{
    // Of a record of another version OpenSSL drops the header, and parses the rest as records.
    if (record.epoch > AssociationState::epoch ||
        (SSL_get_current_cipher(m_ssl.get()) && !record.isOfDtls12()))
        return Step::Waiting;
    if (record.epoch == AssociationState::epoch && !hasChangedKeys()) {
        hold(record);
        return Step::Waiting;
    }
    Step step = shakeHands(record);
    while (step == Step::Waiting && hasChangedKeys() && !m_early.empty()) {
        const QByteArray early = m_early.front();
        m_early.erase(m_early.begin());
        if (const auto finished = RecordReader(early).next())
            step = shakeHands(*finished);
    }
    return step;
}

void ServerHandshake::hold(const Record &finished)
{
    if (finished.bytes.size() <= AssociationState::longestHeldFinished &&
        m_early.size() < mostEarly)
        m_early.push_back(finished.bytes.toByteArray());
}

ServerHandshake::Step ServerHandshake::shakeHands(const Record &record)
{
    if (hasChangedKeys())
        return takeFinished(record);
    return feed(record.bytes);
}

/// OpenSSL would end the handshake on records that anybody can forge, so it gets none but an
/// authentic Finished.
ServerHandshake::Step ServerHandshake::takeFinished(const Record &record)
{
    if (!m_protection && !makeKeys())
        return Step::Failed;
    const bool isLikeAFinished =
        record.epoch == AssociationState::epoch &&
        (record.hasId() || m_protection->limits().isAsLongAsAFinished(record.fragment()));
    if (!isLikeAFinished)
        return Step::Waiting;
    const auto content = m_protection->open(m_state, m_place, record);
    if (content.type != ContentType::Handshake ||
        content.plaintext.size() != SuiteLimits::finishedSize)
        return Step::Waiting;
    const QByteArray plaintext = content.plaintext.toByteArray();
    return feed(m_protection->sealAsPeer(m_state, record.sequence, {content.type, plaintext}));
}

ServerHandshake::Step ServerHandshake::feed(QByteArrayView record)
{
    const QByteArray held = record.toByteArray(); // OpenSSL's answer is sealed where it was
    DatagramBio::Loan loan(m_context->datagrams(), held, m_isOverIPv6);
    const int result = SSL_do_handshake(m_ssl.get());
    const std::vector<QByteArray> written = loan.takeWritten();
    if (result == 1)
        return complete(written) ? Step::Complete : Step::Failed;
    sendFlight(written);
    const int error = SSL_get_error(m_ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return Step::Failed;
    if (m_timeout.count() == 0) {
        m_timeout = firstTimeout;
        m_timers->set(*this, m_timeout);
    }
    return Step::Waiting;
}

/// Sends what of @p written is unencrypted, and keeps it for repeat().
void ServerHandshake::sendFlight(const std::vector<QByteArray> &written)
{
    std::vector<QByteArray> flight;
    for (const QByteArray &datagram : written) {
        QByteArray clear;
        RecordReader reader(datagram);
        while (const auto record = reader.next()) {
            if (record->epoch == 0)
                clear += record->bytes;
        }
        if (!clear.isEmpty())
            flight.push_back(clear);
    }
    if (flight.empty())
        return;
    m_flight = std::move(flight);
    std::ranges::for_each(m_flight, std::bind_front(&ServerHandshake::sendNumbered, this));
}

/// Sends the records of @p clear under the next numbers; nothing if there are none left.
void ServerHandshake::sendNumbered(QByteArray clear)
{
    char *const bytes = clear.data();
    RecordReader reader(clear);
    while (const auto record = reader.next()) {
        if (m_nextClearSequence > AssociationState::lastSequence)
            return; // one more would be of epoch 1
        qToBigEndian(m_nextClearSequence++, bytes + (record->bytes.data() - bytes) + 3);
    }
    m_output.push_back(clear);
}

bool ServerHandshake::complete(const std::vector<QByteArray> &written)
{
    m_timers->cancel(*this);
    if (!m_protection || !answer(written))
        return false;
    SSL_get_peer_finished(m_ssl.get(), m_state.peerVerifyData.data(),
                          m_state.peerVerifyData.size());
    const int code = SSL_SESSION_get_max_fragment_length(SSL_get0_session(m_ssl.get()));
    if (code >= TLSEXT_max_fragment_length_512 && code <= TLSEXT_max_fragment_length_4096)
        m_state.maximumPlaintext = static_cast<std::uint16_t>(256U << code);
    else if (m_state.sealsWithId())
        --m_state.maximumPlaintext; // for the type
    m_state.nextClearSequence = m_nextClearSequence;
    m_state.phase = AssociationState::Phase::Open;
    return true;
}

/// From what the SSL has agreed on with the peer by now.
bool ServerHandshake::makeKeys()
{
    const SSL_SESSION *session = SSL_get0_session(m_ssl.get());
    KeyBlock::Secret secret;
    SSL_SESSION_get_master_key(session, secret.master.data(), secret.master.size());
    SSL_get_client_random(m_ssl.get(), secret.clientRandom.data(), secret.clientRandom.size());
    SSL_get_server_random(m_ssl.get(), secret.serverRandom.data(), secret.serverRandom.size());
    m_protection = &m_thread.protectionOf(SSL_get_current_cipher(m_ssl.get()));
    return m_protection->begin(m_state, secret);
}

/// The last flight; false: OpenSSL has not written one.
bool ServerHandshake::answer(const std::vector<QByteArray> &written)
{
    sendFlight(written);
    QByteArray finished;
    for (const QByteArray &datagram : written) {
        RecordReader reader(datagram);
        while (const auto record = reader.next()) {
            if (record->epoch == AssociationState::epoch)
                finished += sealedAnew(*record);
        }
    }
    if (finished.isEmpty() || m_output.empty())
        return false;
    m_output.back() += finished; // behind the ChangeCipherSpec
    return true;
}

QByteArray ServerHandshake::sealedAnew(const Record &record)
{
    const QByteArrayView finished = m_protection->openOwn(m_state, record);
    if (record.type != ContentType::Handshake || finished.size() != SuiteLimits::finishedSize)
        return {};
    std::ranges::copy(finished, m_state.finished.begin());
    return m_protection->seal(m_state, m_place, record.type, m_state.finishedView()).toByteArray();
}

void ServerHandshake::repeat()
{
    std::ranges::for_each(m_flight, std::bind_front(&ServerHandshake::sendNumbered, this));
    m_timeout = std::min<std::chrono::milliseconds>(2 * m_timeout, longestTimeout);
    m_timers->cancel(*this); // it is still set if this call came early
    m_timers->set(*this, m_timeout);
}

std::size_t ServerHandshake::provideKey(const char *identity, std::span<unsigned char> room)
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

bool ServerHandshake::isItsCookie(std::span<const unsigned char> cookie) const
{
    return !m_cookie.isEmpty() && cookie.size() == static_cast<std::size_t>(m_cookie.size()) &&
           CRYPTO_memcmp(cookie.data(), m_cookie.constData(), cookie.size()) == 0;
}

bool ServerHandshake::takeExtension(unsigned int extension, std::span<const unsigned char> request)
{
    if (extension == ServerContext::connectionId)
        return takeId(request);
    m_state.checksPaths = request.empty();
    return m_state.checksPaths;
}

bool ServerHandshake::takeId(std::span<const unsigned char> request)
{
    if (request.empty() || request.size() != 1U + request[0])
        return false;
    const auto id = request.subspan(1);
    if (m_state.ids == AssociationState::Ids::Offered && id.size() <= m_state.peerId.size()) {
        std::ranges::copy(id, m_state.peerId.begin());
        m_state.peerIdSize = static_cast<std::uint8_t>(id.size());
        m_state.ids = AssociationState::Ids::Agreed;
        std::ranges::copy(m_state.id.bytes, m_idAnswer.begin() + 1);
    }
    return true;
}

std::optional<std::span<const unsigned char>>
ServerHandshake::answerExtension(unsigned int extension)
{
    if (extension == ServerContext::connectionId)
        return m_state.hasId() ? std::optional<std::span<const unsigned char>>(m_idAnswer)
                               : std::nullopt;
    m_state.checksPaths = m_state.checksPaths && m_state.hasId();
    return m_state.checksPaths ? std::optional(std::span<const unsigned char>()) : std::nullopt;
}

} // namespace dtlsd
