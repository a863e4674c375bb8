// SPDX-License-Identifier: Apache-2.0
//
// Random: unpredictable bytes from OpenSSL's generator. Choices that need less, such as one among
// equals, use QRandomGenerator.
#pragma once

#include <QByteArray>

#include <cstddef>

namespace dtlsd {

/// Throws std::runtime_error if the generator fails.
void fillWithRandom(void *bytes, std::size_t size);

/// 32 bytes.
[[nodiscard]] QByteArray randomSecret();

} // namespace dtlsd
