// SPDX-License-Identifier: Apache-2.0
//
// Edits of a datagram, as a program asks for them, and records with any header.
#pragma once

#include "fuzz/Program.h"

#include <QByteArray>

namespace dtlsd::fuzz {

/// Up to four changes, one after the other.
QByteArray edited(QByteArray datagram, Program &program);

/// A record with the type, epoch, sequence number and fragment that @p program names.
QByteArray recordOf(Program &program);

} // namespace dtlsd::fuzz
