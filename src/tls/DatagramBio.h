// SPDX-License-Identifier: Apache-2.0
//
// DatagramBio: the BIO through which OpenSSL reads and writes the datagrams of handshakes. All
// those of a context share one, which serves one call at a time.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <memory>
#include <utility>
#include <vector>

#include <openssl/bio.h>

namespace dtlsd {

class DatagramBio
{
public:
    DatagramBio();
    DatagramBio(const DatagramBio &) = delete;
    DatagramBio &operator=(const DatagramBio &) = delete;
    ~DatagramBio() = default;

    /// For SSL_set_bio(), which takes a reference; nullptr: no memory.
    [[nodiscard]] BIO *get() const { return m_bio.get(); }

    /// While it lives, OpenSSL reads @p input, a single record, and what it writes is collected.
    /// One record at a time: OpenSSL 3.0 drops the rest of a datagram after a record that it
    /// discards.
    class Loan
    {
    public:
        Loan(DatagramBio &bio, QByteArrayView input, bool isOverIPv6)
            : m_bio(bio)
        {
            m_bio.m_input = input;
            m_bio.m_isOverIPv6 = isOverIPv6;
        }
        ~Loan()
        {
            m_bio.m_input = {};
            m_bio.m_written.clear();
        }
        Loan(const Loan &) = delete;
        Loan &operator=(const Loan &) = delete;

        /// The datagrams that OpenSSL has written.
        [[nodiscard]] std::vector<QByteArray> takeWritten()
        {
            return std::exchange(m_bio.m_written, {});
        }

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
    bool m_isOverIPv6 = false;
    std::vector<QByteArray> m_written;
    std::unique_ptr<BIO_METHOD, Free> m_method;
    std::unique_ptr<BIO, Free> m_bio;
};

} // namespace dtlsd
