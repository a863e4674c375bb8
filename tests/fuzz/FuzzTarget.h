// SPDX-License-Identifier: Apache-2.0
//
// What every fuzz target has: the two functions that libFuzzer, or replay.cpp in its place, calls,
// and the way to say that an input has shown a defect.
#pragma once

#include <QByteArrayView>

#include <cstddef>
#include <cstdint>

/// Makes the one QCoreApplication.
extern "C" int LLVMFuzzerInitialize(int *argc, char ***argv);
/// Judges one input; comes back only if it has shown no defect.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace dtlsd::fuzz {

inline QByteArrayView viewOf(const std::uint8_t *data, std::size_t size)
{
    return {data, static_cast<qsizetype>(size)};
}

/// Ends the program, so that the input is kept as a finding, unless @p holds. @p promise says what
/// was expected.
void require(bool holds, const char *promise);

} // namespace dtlsd::fuzz
