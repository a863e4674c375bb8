// SPDX-License-Identifier: Apache-2.0
//
// Encoding: what every file that people write has to pass before its lines are read.
#pragma once

#include "core/Result.h"

#include <QByteArrayView>

namespace dtlsd {

/// Editors of Windows begin UTF-8 with it.
inline constexpr QByteArrayView byteOrderMark("\xef\xbb\xbf");

/// @p content without a byte order mark at its start. Fails on UTF-16, where the message is about
/// the file: `is UTF-16; UTF-8 is accepted`. Whether the rest is valid UTF-8 is not checked.
Result<QByteArrayView> withoutByteOrderMark(QByteArrayView content);

} // namespace dtlsd
