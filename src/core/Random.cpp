// SPDX-License-Identifier: Apache-2.0
#include "core/Random.h"

#include <stdexcept>

#include <openssl/rand.h>

namespace dtlsd {

void fillWithRandom(void *bytes, std::size_t size)
{
    if (RAND_bytes(static_cast<unsigned char *>(bytes), static_cast<int>(size)) != 1)
        throw std::runtime_error("OpenSSL's random generator gives no bytes");
}

QByteArray randomSecret()
{
    QByteArray secret(32, Qt::Uninitialized);
    fillWithRandom(secret.data(), 32);
    return secret;
}

} // namespace dtlsd
