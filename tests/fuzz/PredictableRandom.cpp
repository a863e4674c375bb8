// SPDX-License-Identifier: Apache-2.0
#include "fuzz/PredictableRandom.h"

#include "fuzz/FuzzTarget.h"

#include <algorithm>
#include <random>

#include <openssl/rand.h>

namespace dtlsd::fuzz {

namespace {

std::mt19937 &generator()
{
    static std::mt19937 numbers; // NOLINT(cert-msc51-cpp): predictable is what it is for
    return numbers;
}

int fill(unsigned char *bytes, int size)
{
    std::generate_n(bytes, size, [] { return static_cast<unsigned char>(generator()()); });
    return 1;
}

int isSeeded()
{
    return 1;
}

} // namespace

// The successor of what is deprecated here is a provider of hundreds of lines.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void restartRandom()
{
    static const RAND_METHOD method{nullptr, fill, nullptr, nullptr, fill, isSeeded};
    require(RAND_get_rand_method() == &method || RAND_set_rand_method(&method) == 1,
            "OpenSSL takes another random generator");
    generator().seed();
}

#pragma GCC diagnostic pop

} // namespace dtlsd::fuzz
