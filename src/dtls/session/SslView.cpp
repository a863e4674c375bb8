// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SslView.h"

#include "wire/ClientHello.h"
#include "wire/Record.h"

#include <QtEndian>

#include <stdexcept>

namespace dtlsd {

namespace {

/// The view that waits for the next SSL of this thread.
SslView *&expecting()
{
    thread_local SslView *view = nullptr;
    return view;
}

} // namespace

SslView::~SslView()
{
    if (!m_ssl)
        return;
    SSL_set_msg_callback(m_ssl, nullptr);
    SSL_set_ex_data(m_ssl, index(), nullptr);
}

SslView::Birth::Birth(SslView &view)
    : m_view(view)
{
    SslView::index();
    expecting() = &view;
}

SslView::Birth::~Birth()
{
    expecting() = nullptr;
    if (!m_view.m_ssl)
        return;
    SSL_set_msg_callback(m_view.m_ssl, &SslView::onMessage);
    SSL_set_msg_callback_arg(m_view.m_ssl, &m_view);
    // Bounds every message except a ClientHello, which has its own bound.
    SSL_set_max_cert_list(m_view.m_ssl, ClientHello::maximumSize);
}

int SslView::index()
{
    static const int index = [] {
        const int made =
            SSL_get_ex_new_index(0, nullptr, &SslView::onNew, nullptr, &SslView::onFree);
        if (made < 0)
            throw std::runtime_error("OpenSSL has no room for application data");
        return made;
    }();
    return index;
}

void SslView::onNew(void *ssl, void *, CRYPTO_EX_DATA *data, int index, long, void *)
{
    SslView *view = expecting();
    if (view && CRYPTO_set_ex_data(data, index, view) == 1)
        view->m_ssl = static_cast<SSL *>(ssl);
}

void SslView::onFree(void *ssl, void *view, CRYPTO_EX_DATA *, int, long, void *)
{
    auto *its = static_cast<SslView *>(view);
    if (its && its->m_ssl == ssl)
        its->m_ssl = nullptr;
}

void SslView::onMessage(int isSent, int, int type, const void *bytes, std::size_t size, SSL *,
                        void *view)
{
    auto &its = *static_cast<SslView *>(view);
    const QByteArrayView content(static_cast<const char *>(bytes), static_cast<qsizetype>(size));
    if (isSent != 0)
        return;
    if (type == SSL3_RT_ALERT)
        its.m_alert = Alert::in(content);
    else if (type == SSL3_RT_HANDSHAKE)
        its.note(content);
}

void SslView::note(QByteArrayView message)
{
    constexpr qsizetype headerSize = 12; // RFC 6347 §4.2.2
    constexpr qsizetype lengthSize = 2;
    if (message.size() < headerSize)
        return;
    const QByteArrayView body = message.sliced(headerSize);
    if (message[0] == SSL3_MT_CLIENT_HELLO) {
        m_hello = body.toByteArray();
    } else if (message[0] == SSL3_MT_CLIENT_KEY_EXCHANGE && body.size() >= lengthSize) {
        const qsizetype size = qFromBigEndian<quint16>(body.data());
        m_identity = QByteArray(body.data() + lengthSize, qMin(size, body.size() - lengthSize));
    }
}

qsizetype SslView::maximumPlaintext() const
{
    const SSL_SESSION *session = m_ssl ? SSL_get0_session(m_ssl) : nullptr;
    const int code = session ? SSL_SESSION_get_max_fragment_length(session) : 0;
    const bool isAgreed =
        code >= TLSEXT_max_fragment_length_512 && code <= TLSEXT_max_fragment_length_4096;
    return isAgreed ? qsizetype{256} << code : Record::maximumPlaintext;
}

void SslView::forgetHandshake()
{
    m_hello.clear();
    m_identity.reset();
}

} // namespace dtlsd
