// SPDX-License-Identifier: Apache-2.0
#include "tls/DatagramBio.h"

#include <algorithm>
#include <cstring>

namespace dtlsd {

namespace {

// Bytes of the IP and UDP headers.
constexpr long overheadOverIPv4 = 20 + 8;
constexpr long overheadOverIPv6 = 40 + 8;

BIO_METHOD *makeMethod(int (*read)(BIO *, char *, int), int (*write)(BIO *, const char *, int),
                       long (*control)(BIO *, int, long, void *))
{
    static const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK; // a process has 127 of them
    BIO_METHOD *method = BIO_meth_new(type, "datagrams");
    if (method) {
        BIO_meth_set_read(method, read);
        BIO_meth_set_write(method, write);
        BIO_meth_set_ctrl(method, control);
    }
    return method;
}

} // namespace

DatagramBio::DatagramBio()
    : m_method(makeMethod(&DatagramBio::read, &DatagramBio::write, &DatagramBio::control))
    , m_bio(m_method ? BIO_new(m_method.get()) : nullptr)
{
    if (!m_bio)
        return;
    BIO_set_data(m_bio.get(), this);
    BIO_set_init(m_bio.get(), 1);
}

int DatagramBio::read(BIO *bio, char *into, int room)
{
    auto &self = *static_cast<DatagramBio *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.m_input.isEmpty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    // A record that is too long is truncated, as by recv(2).
    const auto size = std::min(self.m_input.size(), qsizetype{room});
    std::memcpy(into, self.m_input.data(), static_cast<std::size_t>(size));
    if (!self.m_isPeeking)
        self.m_input = {};
    return static_cast<int>(size);
}

int DatagramBio::write(BIO *bio, const char *datagram, int size)
{
    auto &self = *static_cast<DatagramBio *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    self.m_written.emplace_back(datagram, size);
    return size;
}

long DatagramBio::control(BIO *bio, int command, long number, void *)
{
    auto &self = *static_cast<DatagramBio *>(BIO_get_data(bio));
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        return 1;
    case BIO_CTRL_DGRAM_SET_PEEK_MODE:
        self.m_isPeeking = number != 0;
        return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return self.m_isOverIPv6 ? overheadOverIPv6 : overheadOverIPv4;
    default:
        return 0;
    }
}

} // namespace dtlsd
