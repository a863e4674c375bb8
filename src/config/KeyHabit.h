// SPDX-License-Identifier: Apache-2.0
//
// KeyHabit: the ways of writing a key that other programs have and dtlsd does not.
#pragma once

#include <QByteArrayView>
#include <QString>

namespace dtlsd {

/// Why @p text is probably not the hexadecimal digits that it was meant to be, for a message behind
/// `is not hexadecimal`: `: it begins with 0x`. Empty if it is like no known habit. Has no part of
/// @p text.
QString keyHabit(QByteArrayView text);

} // namespace dtlsd
