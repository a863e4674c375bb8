// SPDX-License-Identifier: Apache-2.0
//
// Standard input, output and error: their descriptors, and output for people.
#pragma once

#include <QString>

#include <cstdio>

namespace dtlsd {

/// Opens /dev/null for each closed descriptor from 0 to 2, so that no later socket or file gets its
/// number, and with it the program's output. Read-only, so that printing still fails. Ends the
/// program if there is no /dev/null.
void occupyStandardStreams();

/// Writes @p text to @p stream through forTerminal(): it may quote a peer, a file or an argument.
/// Only standard output that is not a terminal gets @p text unchanged, for other programs.
void say(std::FILE *stream, const QString &text);

} // namespace dtlsd
