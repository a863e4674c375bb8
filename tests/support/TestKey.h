// SPDX-License-Identifier: Apache-2.0
//
// The key that tests use where any will do.
#pragma once

#include <QByteArray>

namespace dtlsd::test {

/// As configurations have it: 16 bytes.
inline const QByteArray hexKey = "00112233445566778899aabbccddeeff";
inline const QByteArray testKey = QByteArray::fromHex(hexKey);

} // namespace dtlsd::test
