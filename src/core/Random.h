// SPDX-License-Identifier: Apache-2.0
//
// Random: what nobody can guess, from OpenSSL's generator. What merely should not be foreseen, such
// as a choice among equals, is QRandomGenerator's.
#pragma once

#include <QByteArray>

#include <cstddef>

namespace dtlsd {

/// Throws std::runtime_error if the generator gives none.
void fillWithRandom(void *bytes, std::size_t size);

/// 32 bytes.
[[nodiscard]] QByteArray randomSecret();

} // namespace dtlsd
