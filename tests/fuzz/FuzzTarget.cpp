// SPDX-License-Identifier: Apache-2.0
#include "fuzz/FuzzTarget.h"

#include <QCoreApplication>
#include <QHashSeed>

#include <cstdio>
#include <cstdlib>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    QHashSeed::setDeterministicGlobalSeed(); // so that an input always takes the same way
    // Not destroyed: the program ends by exit(), and then parts of Qt that it uses are gone.
    static const auto *const application = new QCoreApplication(*argc, *argv);
    static_cast<void>(application);
    return 0;
}

namespace dtlsd::fuzz {

void require(bool holds, const char *promise)
{
    if (holds)
        return;
    static_cast<void>(std::fprintf(stderr, "broken promise: %s\n", promise));
    std::abort();
}

} // namespace dtlsd::fuzz
