// SPDX-License-Identifier: Apache-2.0
//
// Standard input, output and error: what a program does with them before anything else, and how it
// says something to a person.
#pragma once

#include <QString>

#include <cstdio>

namespace dtlsd {

/// Gives descriptors 0 to 2 to /dev/null where they are closed, so that no socket or file that is
/// opened later gets their numbers, and with them what the program prints. It is open for reading
/// alone: printing stays the error that it was. Ends the program if there is no /dev/null.
void occupyStandardStreams();

/// Writes @p text to @p stream as forTerminal() shows it: it may quote a peer, a file or an
/// argument. Only standard output that is no terminal gets it exactly, for the program that reads
/// it.
void say(std::FILE *stream, const QString &text);

} // namespace dtlsd
