// SPDX-License-Identifier: Apache-2.0
//
// say(): text for a person, on standard error or standard output.
#pragma once

#include <QString>

#include <cstdio>

namespace dtlsd {

/// Writes @p text to @p stream as forTerminal() shows it: it may quote a peer, a file or an
/// argument. Only standard output that is no terminal gets it exactly, for the program that reads
/// it.
void say(std::FILE *stream, const QString &text);

} // namespace dtlsd
