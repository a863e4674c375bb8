// SPDX-License-Identifier: Apache-2.0
//
// DatagramBio: the BIO through which OpenSSL reads and writes datagrams. All sessions of a context
// share one, which serves one call at a time.
#pragma once

#include <QByteArrayView>

#include <memory>

#include <openssl/bio.h>

class QHostAddress;
class QUdpSocket;

namespace dtlsd {

/// Passes @p datagram to @p output, which sends it to @p peer unless the socket is connected. As
/// usual with UDP, a datagram that the socket does not accept is lost.
void send(QUdpSocket &output, QByteArrayView datagram, const QHostAddress &peer, quint16 port);

class DatagramBio
{
public:
    DatagramBio();
    DatagramBio(const DatagramBio &) = delete;
    DatagramBio &operator=(const DatagramBio &) = delete;
    ~DatagramBio() = default;

    /// For SSL_set_bio(), which takes a reference; nullptr: no memory.
    [[nodiscard]] BIO *get() const { return m_bio.get(); }

    /// While it lives, OpenSSL reads @p input, a single record, and writes through send(). One
    /// record at a time: OpenSSL 3.0 drops the rest of a datagram after a record that it discards.
    class Loan
    {
    public:
        Loan(DatagramBio &bio, QUdpSocket &output, const QHostAddress &peer, quint16 port,
             QByteArrayView input = {})
            : m_bio(bio)
        {
            m_bio.m_output = &output;
            m_bio.m_peer = &peer;
            m_bio.m_port = port;
            m_bio.m_input = input;
        }
        ~Loan()
        {
            m_bio.m_output = nullptr;
            m_bio.m_input = {};
        }
        Loan(const Loan &) = delete;
        Loan &operator=(const Loan &) = delete;

        [[nodiscard]] bool isRead() const { return m_bio.m_input.isEmpty(); }

    private:
        DatagramBio &m_bio;
    };

private:
    struct Free
    {
        void operator()(BIO *bio) const { BIO_free(bio); }
        void operator()(BIO_METHOD *method) const { BIO_meth_free(method); }
    };

    static int read(BIO *bio, char *into, int room);
    static int write(BIO *bio, const char *datagram, int size);
    static long control(BIO *bio, int command, long number, void *pointer);

    QByteArrayView m_input;
    bool m_isPeeking = false;
    QUdpSocket *m_output = nullptr;
    const QHostAddress *m_peer = nullptr;
    quint16 m_port = 0;
    std::unique_ptr<BIO_METHOD, Free> m_method;
    std::unique_ptr<BIO, Free> m_bio;
};

} // namespace dtlsd
